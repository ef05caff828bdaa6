using DeltaKV.Gpu;

namespace DeltaKV.Tests.Kernels;

/// <summary>Random inputs and comparisons for kernel tests.</summary>
internal static class Numbers
{
    /// <summary>Half the distance of bf16 neighbours, relative to the number: what one rounding may cost.</summary>
    internal const double BFloat16Rounding = 1.0 / 256;

    internal static BFloat16[] BFloat16s(int seed, int count, float scale = 1f)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => BFloat16.FromSingle(scale * ((2 * random.NextSingle()) - 1)))];
    }

    internal static float[] Singles(int seed, int count, float scale = 1f)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => scale * ((2 * random.NextSingle()) - 1))];
    }

    internal static float[] Widen(BFloat16[] values) => Array.ConvertAll(values, value => (float)value);

    /// <summary>Every number within <c>absolute + relative * |expected|</c>.</summary>
    internal static void AssertClose(double[] expected, float[] actual, double absolute, double relative, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var error = Math.Abs(expected[i] - actual[i]);
            Assert.True(
                error <= absolute + (relative * Math.Abs(expected[i])),
                $"{what}: element {i} is {actual[i]:g9}, expected {expected[i]:g9} (error {error:g3}).");
        }
    }
}
