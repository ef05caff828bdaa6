using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

public sealed class UniformQuantizerTests
{
    [Theory]
    [InlineData(ChunkWidth.Bits2, 0.13)]
    [InlineData(ChunkWidth.Bits3, 0.045)]
    [InlineData(ChunkWidth.Bits4, 0.0125)]
    [InlineData(ChunkWidth.Bits8, 0.0002)]
    internal void GaussianErrorsAreNearTheKnownOptimum(ChunkWidth width, double bound)
    {
        // Max, 1960: a uniform quantiser of a unit Gaussian leaves 0.1188 with 4 levels and 0.01154 with 16.
        var random = new SeededRandom(41);
        var samples = Enumerable.Range(0, 20_000).Select(_ => random.NextNormal()).ToArray();
        var weights = Enumerable.Repeat(1.0 / samples.Length, samples.Length).ToArray();
        Assert.InRange(UniformQuantizer.Fit(samples, weights, width, 1).Error, 0, bound);
        Assert.Equal(1, UniformQuantizer.ErrorOfNothing(samples, weights), 0.05);
    }

    [Fact]
    public void SamplesThatMatterAreNotClipped()
    {
        double[] samples = [.. Enumerable.Range(0, 1000).Select(i => Math.Sin(i)), 20.0];
        var even = Enumerable.Repeat(1.0 / 1001, 1001).ToArray();
        double[] weighted = [.. Enumerable.Repeat(0.5 / 1000, 1000), 0.5];
        double Read(double[] weights)
        {
            var step = UniformQuantizer.Fit(samples, weights, ChunkWidth.Bits4, 1).Step;
            return step * UniformQuantizer.Value(UniformQuantizer.Code(20 / step, ChunkWidth.Bits4), ChunkWidth.Bits4);
        }

        Assert.InRange(Read(even), 0, 19.5);
        Assert.InRange(Read(weighted), 19.5, 20.5);
    }

    [Theory]
    [InlineData(ChunkWidth.Bits2)]
    [InlineData(ChunkWidth.Bits3)]
    [InlineData(ChunkWidth.Bits4)]
    [InlineData(ChunkWidth.Bits8)]
    internal void EveryIntegerIsTheCodeOfItsOwnValue(ChunkWidth width)
    {
        for (var code = 0; code < 1 << (int)width; code++)
            Assert.Equal(code, UniformQuantizer.Code(UniformQuantizer.Value(code, width), width));
    }
}
