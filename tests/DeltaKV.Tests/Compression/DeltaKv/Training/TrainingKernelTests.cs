using DeltaKV.Compression.DeltaKv.Training;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Gemm;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.DeltaKv.Training;

[Collection(KernelCollection.Name)]
public sealed class TrainingKernelTests(KernelFixture device)
{
    [Theory]
    [InlineData(2, 2)]
    [InlineData(64, 64)]
    [InlineData(66, 130)]
    [InlineData(200, 48)]
    public void Transposes_halves(int rows, int columns)
    {
        var x = Pairs(Numbers.Singles(1, rows * columns));
        using var xs = device.Upload(x);
        using var y = device.Poisoned<uint>(x.Length);
        new HalfTransposeKernel(device.Accelerator).Launch(device.Stream, xs.View, y.View, rows, columns);
        var (before, after) = (Halves(x), Halves(device.Download(y, x.Length)));
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < columns; c++)
                Assert.Equal(before[(r * columns) + c], after[(c * rows) + r]);
        }
    }

    [Theory]
    [InlineData(8, 16, 8)]
    [InlineData(70, 33, 72)]
    [InlineData(130, 96, 264)]
    public void Multiplies_halves(int m, int n, int k)
    {
        var (x, w) = (Pairs(Numbers.Singles(1, m * k)), Pairs(Numbers.Singles(2, n * k)));
        using var xs = device.Upload(x);
        using var ws = device.Upload(w);
        using var y = device.Poisoned<float>(m * n);
        new HalfProduct(device.Accelerator).Launch(device.Stream, xs.View, ws.View, y.View, m, n, k);
        var (left, right) = (Halves(x), Halves(w));
        var expected = new double[m * n];
        for (var i = 0; i < expected.Length; i++)
        {
            for (var j = 0; j < k; j++)
                expected[i] += left[(i / n * k) + j] * right[(i % n * k) + j];
        }

        // Products are exact; k fp32 additions of numbers up to 1.
        Numbers.AssertClose(expected, device.Download(y, m * n), k * 1e-6, 1e-5, $"halves {m}x{n}x{k}");
    }

    [Fact]
    public void Latents_return_as_the_encoder_would_store_them()
    {
        var z = Numbers.Singles(3, 96, 5f);
        z.AsSpan(64).Fill(0.25f);
        using var zs = device.Upload(z);
        using var rounded = device.Poisoned<uint>(48);
        using var quantised = device.Poisoned<uint>(48);
        var kernels = new LatentKernels(device.Accelerator);
        kernels.Round(device.Stream, zs.View, rounded.View, 96);
        kernels.Quantise(device.Stream, zs.View, quantised.View, 96, 4);
        Assert.Equal(z.Select(value => (double)(System.Half)value), Halves(device.Download(rounded, 48)));
        var returned = Halves(device.Download(quantised, 48));
        for (var group = 0; group < 3; group++)
        {
            var part = z.AsSpan(32 * group, 32).ToArray();
            var step = (part.Max() - part.Min()) / 15;
            Assert.InRange(returned.AsSpan(32 * group, 32).ToArray().Distinct().Count(), 1, 16);
            // Half a step, and what rounding step and smallest value to halves does to the far end.
            for (var i = 0; i < 32; i++)
                Assert.InRange(Math.Abs(returned[(32 * group) + i] - part[i]), 0, (0.5 * step) + 0.02);
        }
    }

    [Fact]
    public void Sums_vectors_squares_and_rows()
    {
        var x = Numbers.Singles(4, 70_001);
        var halves = Pairs(Numbers.Singles(5, 9 * 40));
        using var xs = device.Upload(x);
        using var hs = device.Upload(halves);
        using var scratch = device.Poisoned<float>(SumKernels.Groups);
        using var results = device.Poisoned<float>(2);
        using var rows = device.Poisoned<float>(9);
        var sums = new SumKernels(device.Accelerator);
        sums.Launch(device.Stream, xs.View, x.Length, false, scratch.View, results.View);
        sums.Launch(device.Stream, xs.View, x.Length, true, scratch.View, results.View.SubView(1, 1));
        sums.LaunchRows(device.Stream, hs.View, rows.View, 9, 40);
        var found = device.Download(results, 2);
        Assert.Equal(x.Sum(value => (double)value), found[0], 0.05);
        Assert.Equal(x.Sum(value => (double)value * value), found[1], 0.5);
        var all = Halves(halves);
        Assert.Equal(Enumerable.Range(0, 9).Select(row => all[(40 * row)..(40 * (row + 1))].Sum()), device.Download(rows, 9).Select(value => (double)value), (a, b) => Math.Abs(a - b) < 1e-4);
    }

    [Fact]
    public void Adam_is_adam_with_the_norm_clipped()
    {
        var shape = new NetworkShape(32, null, 0, 32);
        var start = Numbers.Singles(6, (int)shape.Count);
        var gradients = Numbers.Singles(7, (int)shape.Count, 3f);
        const float Scale = 0.5f;
        using var network = new NetworkParameters(device.Accelerator, shape);
        network.Set(device.Stream, start);
        using var gs = device.Upload(gradients);
        using var norm = device.Upload([(float)gradients.Sum(g => (double)g * g)]);
        var adam = new AdamKernel(device.Accelerator);
        for (var step = 1; step <= 3; step++)
            adam.Launch(device.Stream, network, gs.View, norm.View, Scale, 0.01f, step);

        var clip = Scale / Math.Max(1, Math.Sqrt(gradients.Sum(g => (double)g * g)) * Scale);
        var expected = start.Select((value, i) =>
        {
            var (g, p, m, v) = (gradients[i] * clip, (double)value, 0.0, 0.0);
            for (var step = 1; step <= 3; step++)
            {
                (m, v) = ((0.9 * m) + (0.1 * g), (0.999 * v) + (0.001 * g * g));
                p -= 0.01 * m / (1 - Math.Pow(0.9, step)) / (Math.Sqrt(v / (1 - Math.Pow(0.999, step))) + 1e-8);
            }

            return p;
        }).ToArray();
        Numbers.AssertClose(expected, network.Get(device.Stream), 2e-5, 1e-5, "adam");
        var copies = Halves(network.Halves.SubView(0, 8).ToArray(device));
        Assert.Equal(network.Get(device.Stream)[..16].Select(value => (double)(System.Half)value), copies);
    }

    private static uint[] Pairs(float[] values) => [.. Enumerable.Range(0, values.Length / 2).Select(i => Half2.FromSingles(values[2 * i], values[(2 * i) + 1]).Bits)];

    private static double[] Halves(uint[] pairs) => [.. pairs.SelectMany(pair => new double[] { new Half2(pair).Low, new Half2(pair).High })];
}

file static class Views
{
    internal static T[] ToArray<T>(this ArrayView<T> view, KernelFixture device)
        where T : unmanaged
    {
        var result = new T[view.Length];
        view.CopyToCPU<T>(device.Stream, result);
        device.Stream.Synchronize();
        return result;
    }
}
