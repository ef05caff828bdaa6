using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Single;

namespace DeltaKV.Tests.Kernels;

[Collection(KernelCollection.Name)]
public sealed class RowKernelTests(KernelFixture device)
{
    [Theory]
    [InlineData(1, 8)]
    [InlineData(5, 384)]
    [InlineData(3, 4096)]
    public void GathersRows(int count, int width)
    {
        var table = Numbers.BFloat16s(1, 11 * width);
        int[] rows = [.. Enumerable.Range(0, count).Select(i => i == 1 ? -1 : (i * 7) % 11)];
        using var tables = device.Upload(table);
        using var ids = device.Upload(rows);
        using var y = device.Poisoned<BFloat16>(count * width);

        new GatherRowsKernel(device.Accelerator).Launch(device.Stream, ids.View, tables.View.BaseView, y.View.BaseView, count, width);

        var actual = device.Download(y, count * width);
        for (var i = 0; i < actual.Length; i++)
            Assert.Equal(rows[i / width] < 0 ? default : table[(rows[i / width] * width) + (i % width)], actual[i]);
    }

    [Theory]
    [InlineData(1, 8, false)]
    [InlineData(3, 384, false)]
    [InlineData(2, 384, true)]
    [InlineData(2, 2056, true)]
    [InlineData(1, 5120, false)]
    [InlineData(2, 16384, true)]
    public void Normalises(int tokens, int width, bool adds)
    {
        var x = Numbers.BFloat16s(2, tokens * width);
        var delta = Numbers.BFloat16s(3, tokens * width);
        var weight = Numbers.BFloat16s(4, width);
        using var xs = device.Upload(x);
        using var deltas = device.Upload(delta);
        using var weights = device.Upload(weight);
        using var y = device.Poisoned<BFloat16>(tokens * width);
        var kernel = new RmsNormKernel(device.Accelerator);

        if (adds)
            kernel.LaunchAdd(device.Stream, xs.View, deltas.View, weights.View, y.View, tokens, width, 1e-5f);
        else
            kernel.Launch(device.Stream, xs.View, weights.View, y.View, tokens, width, 1e-5f);

        var actual = device.Download(y, tokens * width);
        var added = adds ? x.Zip(delta, (a, b) => BFloat16.FromSingle((float)a + b)).ToArray() : x;
        Assert.Equal(added, xs.GetAsArray1D());
        Numbers.AssertClose(Reference(Numbers.Widen(added), Numbers.Widen(weight), tokens), Numbers.Widen(actual), 1e-6, Numbers.BFloat16Rounding, "norm");
    }

    [Theory]
    [InlineData(2, 100, false)]
    [InlineData(1, 1000, true)]
    public void NormalisesSingles(int tokens, int width, bool adds)
    {
        var x = Numbers.Singles(2, tokens * width);
        var delta = Numbers.Singles(3, tokens * width);
        var weight = Numbers.Singles(4, width);
        using var xs = device.Upload(x);
        using var deltas = device.Upload(delta);
        using var weights = device.Upload(weight);
        using var y = device.Poisoned<float>(tokens * width);

        var addend = adds ? deltas.View.BaseView : default;
        new SingleNorm(device.Accelerator).Launch(device.Stream, xs.View, addend, weights.View, y.View, tokens, width, 1e-5f);

        var added = adds ? x.Zip(delta, (a, b) => a + b).ToArray() : x;
        Numbers.AssertClose(Reference(added, weight, tokens), device.Download(y, tokens * width), 1e-7, 1e-5, "norm");
    }

    private static double[] Reference(float[] x, float[] weight, int tokens)
    {
        var width = weight.Length;
        var y = new double[tokens * width];
        for (var t = 0; t < tokens; t++)
        {
            var square = 0.0;
            for (var i = 0; i < width; i++)
                square += (double)x[(t * width) + i] * x[(t * width) + i];
            for (var i = 0; i < width; i++)
                y[(t * width) + i] = x[(t * width) + i] * weight[i] / Math.Sqrt((square / width) + 1e-5f);
        }

        return y;
    }
}
