using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Gemm;
using DeltaKV.Kernels.Single;

namespace DeltaKV.Tests.Kernels;

[Collection(KernelCollection.Name)]
public sealed class LinearTests(KernelFixture device)
{
    /// <summary>Every kernel variant with whole and ragged tiles along m, n and k.</summary>
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 16, 64 }, { 1, 17, 72 }, { 1, 40, 1096 }, { 1, 8, 4096 }, { 3, 24, 384 }, { 8, 48, 520 },
        { 9, 16, 128 }, { 16, 33, 200 }, { 17, 64, 1032 }, { 32, 40, 64 }, { 33, 33, 136 }, { 64, 24, 584 },
        { 65, 64, 64 }, { 65, 31, 72 }, { 130, 72, 264 }, { 128, 128, 384 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Multiplies(int m, int n, int k) => Check(m, n, k, n, (linear, x, w, _, y) => linear.Launch(device.Stream, x, w, y, m, n, k), (sums, _) => sums);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void AddsBias(int m, int n, int k) => Check(
        m, n, k, n, (linear, x, w, addend, y) => linear.LaunchBias(device.Stream, x, w, addend, y, m, n, k), (sums, addend) => Map(sums, i => sums[i] + addend[i % n]));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void AddsResidual(int m, int n, int k) => Check(
        m, n, k, n, (linear, x, w, addend, y) => linear.LaunchAdd(device.Stream, x, w, addend, y, m, n, k), (sums, addend) => Map(sums, i => sums[i] + addend[i]));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gates(int m, int n, int k) => Check(
        m, n, k, 2 * n, (linear, x, w, _, y) => linear.LaunchSwiGlu(device.Stream, x, w, y, m, n, k), (sums, _) => Gate(sums, m, n));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void WritesLogits(int m, int n, int k)
    {
        var x = Numbers.BFloat16s(m, m * k);
        var weight = Numbers.BFloat16s(n, n * k, 0.2f);
        using var xs = device.Upload(x);
        using var weights = device.Upload(weight);
        using var y = device.Poisoned<float>(m * n);

        new Linear(device.Accelerator).LaunchLogits(device.Stream, xs.View, weights.View, y.View, m, n, k);

        // Products are exact; k fp32 additions of numbers up to 0.2 lose little.
        Numbers.AssertClose(Reference(Numbers.Widen(x), Numbers.Widen(weight), m, n, k), device.Download(y, m * n), k * 1e-7, 1e-5, "logits");
    }

    [Theory]
    [InlineData(1, 5, 64)]
    [InlineData(3, 17, 130)]
    public void MultipliesSingles(int m, int n, int k)
    {
        var x = Numbers.Singles(1, m * k);
        var weight = Numbers.Singles(2, 2 * n * k, 0.2f);
        var addend = Numbers.Singles(3, m * n);
        using var xs = device.Upload(x);
        using var weights = device.Upload(weight);
        using var addends = device.Upload(addend);
        var linear = new SingleLinear(device.Accelerator);
        var sums = Reference(x, weight, m, 2 * n, k);
        var plain = Reference(x, weight[..(n * k)], m, n, k);

        Compare(plain, y => linear.Launch(device.Stream, xs.View, weights.View, y, m, n, k));
        Compare(Map(plain, i => plain[i] + addend[i % n]), y => linear.LaunchBias(device.Stream, xs.View, weights.View, addends.View, y, m, n, k));
        Compare(Map(plain, i => plain[i] + addend[i]), y => linear.LaunchAdd(device.Stream, xs.View, weights.View, addends.View, y, m, n, k));
        Compare(Gate(sums, m, n), y => linear.LaunchSwiGlu(device.Stream, xs.View, weights.View, y, m, n, k));

        void Compare(double[] expected, Action<ArrayView<float>> launch)
        {
            using var y = device.Poisoned<float>(m * n);
            launch(y.View);
            Numbers.AssertClose(expected, device.Download(y, m * n), 1e-5, 1e-5, "fp32 linear");
        }
    }

    /// <summary>The tile that only a GPU chooses by itself.</summary>
    [Theory]
    [InlineData(100, 200, 72)]
    [InlineData(129, 264, 200)]
    public void MultipliesLargeTiles(int m, int n, int k)
    {
        CheckLargeTile<Epilogue.Plain>(m, n, k, n, (sums, _) => sums);
        CheckLargeTile<Epilogue.Residual>(m, n, k, n, (sums, addend) => Map(sums, i => sums[i] + addend[i]));
        CheckLargeTile<Epilogue.Gated>(m, n, k, 2 * n, (sums, _) => Gate(sums, m, n));
    }

    [Fact]
    public void RefusesRaggedDepth()
    {
        using var buffer = device.Poisoned<BFloat16>(1024);
        Assert.Throws<ArgumentException>(() => new Linear(device.Accelerator).Launch(device.Stream, buffer.View, buffer.View, buffer.View, 1, 8, 12));
    }

    private void CheckLargeTile<TEpilogue>(int m, int n, int k, int weightRows, Func<double[], float[], double[]> finish)
        where TEpilogue : struct, IEpilogue
    {
        var columns = TEpilogue.Gates ? 64 : 128;
        var config = new KernelConfig(
            (m + 127) / 128 * ((n + columns - 1) / columns), 128, SharedMemoryConfig.RequestDynamic<UInt4>(3 * (128 + 128) * 8));
        var kernel = new KernelHandle<GemmArguments>(device.Accelerator, TiledGemm.Kernel<Tiles.Of128x128, TEpilogue>);
        Check(
            m, n, k, weightRows, (_, x, w, addend, y) => kernel.Launch(device.Stream, config, new GemmArguments(x, w, y, default, addend, m, n, k)), finish);
    }

    private void Check(
        int m,
        int n,
        int k,
        int weightRows,
        Action<Linear, ArrayView<BFloat16>, ArrayView<BFloat16>, ArrayView<BFloat16>, ArrayView<BFloat16>> launch,
        Func<double[], float[], double[]> finish)
    {
        var x = Numbers.BFloat16s(m, m * k);
        var weight = Numbers.BFloat16s(n, weightRows * k, 0.2f);
        var addend = Numbers.BFloat16s(k, m * n);
        using var xs = device.Upload(x);
        using var weights = device.Upload(weight);
        using var addends = device.Upload(addend);
        using var y = device.Poisoned<BFloat16>(m * n);

        launch(new Linear(device.Accelerator), xs.View, weights.View, addends.View, y.View);

        var expected = finish(Reference(Numbers.Widen(x), Numbers.Widen(weight), m, weightRows, k), Numbers.Widen(addend));
        // One rounding to bf16; the fp32 sums of k products lose little beside it, except near zero.
        Numbers.AssertClose(expected, Numbers.Widen(device.Download(y, m * n)), 1e-4 + (k * 1e-7), Numbers.BFloat16Rounding, $"linear {m}x{n}x{k}");
    }

    private static double[] Reference(float[] x, float[] weight, int m, int n, int k)
    {
        var y = new double[m * n];
        for (var row = 0; row < m; row++)
        {
            for (var column = 0; column < n; column++)
            {
                var sum = 0.0;
                for (var i = 0; i < k; i++)
                    sum += (double)x[(row * k) + i] * weight[(column * k) + i];
                y[(row * n) + column] = sum;
            }
        }

        return y;
    }

    private static double[] Gate(double[] sums, int m, int n) => Map(
        new double[m * n], i => Silu(sums[(i / n * 2 * n) + (i % n)]) * sums[(i / n * 2 * n) + n + (i % n)]);

    private static double Silu(double x) => x / (1 + Math.Exp(-x));

    private static double[] Map(double[] like, Func<int, double> element) => [.. Enumerable.Range(0, like.Length).Select(element)];
}
