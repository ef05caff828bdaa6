using DeltaKV.Weights;

namespace DeltaKV.Tests.Weights;

public sealed class RopeFrequenciesTests
{
    private static readonly RopeParameters Llama31 = new()
    {
        Type = RopeType.Llama3, Theta = 500_000, Factor = 8, LowFrequencyFactor = 1, HighFrequencyFactor = 4, OriginalMaxPositions = 8192,
    };

    [Theory]
    [InlineData(64)]
    [InlineData(80)]
    [InlineData(96)]
    [InlineData(128)]
    public void DefaultIsAGeometricSeries(int headDim)
    {
        var inverse = RopeFrequencies.Inverse(new RopeParameters { Theta = 10_000 }, headDim);

        Assert.Equal(headDim / 2, inverse.Length);
        Assert.Equal(1f, inverse[0]);
        Assert.Equal(0.01f, inverse[headDim / 4], 1e-8f);
    }

    [Fact]
    public void LinearDividesEverything()
    {
        var plain = RopeFrequencies.Inverse(new RopeParameters(), 128);
        var linear = RopeFrequencies.Inverse(new RopeParameters { Type = RopeType.Linear, Factor = 4 }, 128);
        Assert.Equal(plain.Select(value => value / 4), linear);
    }

    [Fact]
    public void Llama3KeepsHighDividesLowAndBlendsBetween()
    {
        var plain = RopeFrequencies.Inverse(Llama31 with { Type = RopeType.Default }, 128);
        var scaled = RopeFrequencies.Inverse(Llama31, 128);
        for (var i = 0; i < scaled.Length; i++)
        {
            // Llama's own formulation, by wavelength, in double.
            var exact = Math.Pow(500_000, -2.0 * i / 128);
            var wavelength = 2 * Math.PI / exact;
            var expected = wavelength < 2048 ? exact
                : wavelength > 8192 ? exact / 8
                : Blend((8192 / wavelength - 1) / 3, exact);
            Assert.Equal(expected, scaled[i], expected * 1e-6);
        }
        Assert.Equal(plain[0], scaled[0]);
        Assert.Equal(plain[63] / 8, scaled[63], 1e-12f);
        Assert.Contains(Enumerable.Range(0, 64), i => scaled[i] < plain[i] * 0.99f && scaled[i] > plain[i] / 7.9f);

        static double Blend(double smooth, double value) => (1 - smooth) * value / 8 + smooth * value;
    }

    [Fact]
    public void YarnRampsBetweenTheCorrectionDimensions()
    {
        // Qwen2.5's published setting: 32 and 1 rotations over 32768 tokens at theta 1e6, head dim 128, fall on dimensions 23.6 and 39.6.
        var rope = new RopeParameters { Type = RopeType.Yarn, Theta = 1_000_000, Factor = 4, OriginalMaxPositions = 32768 };
        var plain = RopeFrequencies.Inverse(rope with { Type = RopeType.Default }, 128);
        var scaled = RopeFrequencies.Inverse(rope, 128);

        for (var i = 0; i < 64; i++)
        {
            var interpolated = Math.Clamp((i - 23) / 17.0, 0, 1);
            Assert.Equal(plain[i] * (1 - interpolated) + plain[i] / 4 * interpolated, scaled[i], plain[i] * 1e-6);
        }
    }

    [Fact]
    public void YarnWithoutTruncationUsesFractionalDimensions()
    {
        var rope = new RopeParameters { Type = RopeType.Yarn, Theta = 1_000_000, Factor = 4, OriginalMaxPositions = 32768 };
        Assert.NotEqual(RopeFrequencies.Inverse(rope, 128), RopeFrequencies.Inverse(rope with { Truncate = false }, 128));
    }
}
