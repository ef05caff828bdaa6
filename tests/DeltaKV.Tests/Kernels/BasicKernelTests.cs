using DeltaKV.Gpu;
using DeltaKV.Kernels.Basic;

namespace DeltaKV.Tests.Kernels;

[Collection(KernelCollection.Name)]
public sealed class BasicKernelTests(KernelFixture device)
{
    [Theory]
    [InlineData(1)]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(5000)]
    public void Copies(int length)
    {
        var random = new Random(length);
        var data = Enumerable.Range(0, length).Select(_ => new UInt4((uint)random.Next(), (uint)random.Next(), (uint)random.Next(), 7)).ToArray();
        using var source = device.Upload(data);
        using var target = device.Poisoned<UInt4>(length);

        new CopyKernel(device.Accelerator).Launch(device.Stream, source.View, target.View.SubView(0, length));

        Assert.Equal(data, device.Download(target, length));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(300)]
    [InlineData(1024)]
    public void AddsScaled(int vectors)
    {
        var x = Numbers.Singles(1, vectors * 4);
        var y = Numbers.Singles(2, vectors * 4);
        using var xs = device.Upload(x);
        using var ys = device.Upload(y);

        new AxpyKernel(device.Accelerator).Launch(device.Stream, 1.7f, xs.View.BaseView.Cast<Float4>(), ys.View.BaseView.Cast<Float4>());

        // A fused multiply-add rounds once, as the host's does.
        device.Stream.Synchronize();
        Assert.Equal(x.Zip(y, (a, b) => MathF.FusedMultiplyAdd(1.7f, a, b)), ys.GetAsArray1D());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(257)]
    [InlineData(40_000)]
    public void Sums(int vectors)
    {
        var x = Numbers.Singles(3, vectors * 4);
        using var xs = device.Upload(x);
        using var partial = device.Poisoned<float>(ReductionKernel.MaxGroups);
        using var result = device.Poisoned<float>(1);

        new ReductionKernel(device.Accelerator).Launch(device.Stream, xs.View.BaseView.Cast<Float4>(), partial.View, result.View);

        // Every number is added within about 2^-24 * log2(count) of the sum of absolute values.
        var magnitude = x.Sum(value => Math.Abs((double)value));
        Numbers.AssertClose([x.Sum(value => (double)value)], device.Download(result, 1), magnitude * 2e-6, 0, "sum");
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 7)]
    [InlineData(2, 1000)]
    [InlineData(1, 4099)]
    public void Softmaxes(int rows, int width)
    {
        var x = Numbers.Singles(4, rows * width, 20f);
        using var xs = device.Upload(x);
        using var ys = device.Poisoned<float>(rows * width);

        new SoftmaxKernel(device.Accelerator).Launch(device.Stream, xs.View, ys.View, rows, width);

        var expected = new double[rows * width];
        for (var r = 0; r < rows; r++)
        {
            var row = x.AsSpan(r * width, width).ToArray().Select(value => (double)value).ToArray();
            var largest = row.Max();
            var sum = row.Sum(value => Math.Exp(value - largest));
            for (var i = 0; i < width; i++)
                expected[(r * width) + i] = Math.Exp(row[i] - largest) / sum;
        }

        // The approximate exponential is good to 2^-22, its argument of up to 58 binary digits to 2^-19.
        Numbers.AssertClose(expected, device.Download(ys, rows * width), 1e-9, 1e-5, "softmax");
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(33, 65)]
    [InlineData(64, 32)]
    public void Transposes(int rows, int columns)
    {
        var x = Numbers.Singles(5, rows * columns);
        using var xs = device.Upload(x);
        using var ys = device.Poisoned<float>(rows * columns);

        new TransposeKernel(device.Accelerator).Launch(device.Stream, xs.View, ys.View, rows, columns);

        var y = device.Download(ys, rows * columns);
        for (var i = 0; i < y.Length; i++)
            Assert.Equal(x[(i % rows * columns) + (i / rows)], y[i]);
    }
}
