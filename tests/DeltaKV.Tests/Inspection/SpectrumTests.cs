using DeltaKV.Evaluation;
using DeltaKV.Inspection;

namespace DeltaKV.Tests.Inspection;

public sealed class SpectrumTests
{
    [Fact]
    public void VariancesComeBackWhetherThereAreFewOrManyVectors()
    {
        double[] deviations = [4, 2, 1, 0.5];
        foreach (var count in new[] { 3, 4000 })
        {
            var random = new SeededRandom(5, count);
            float[][] rows = [.. Enumerable.Range(0, count).Select(_ => deviations.Select(d => (float)(7 + d * random.NextNormal())).ToArray())];
            var spectrum = Spectrum.Of(rows);
            var total = Enumerable.Range(0, 4).Sum(i => Variance([.. rows.Select(r => r[i])]));
            Assert.Equal(total, spectrum.Total, 1e-4 * total);
            // Of n vectors around their mean no more than n - 1 axes vary.
            Assert.True(spectrum.Variances.Count(v => v > 1e-4 * total) <= count - 1);
            if (count > 4)
                Assert.All(spectrum.Variances.Zip(deviations), pair => Assert.InRange(pair.First, 0.9 * pair.Second * pair.Second, 1.1 * pair.Second * pair.Second));
        }
    }

    [Fact]
    public void RankCountsAxesThatShareTheVariance()
    {
        Assert.Equal(3, new Spectrum([2, 2, 2, 0]).EffectiveRank, 1e-9);
        Assert.Equal(1, new Spectrum([5]).EffectiveRank, 1e-9);
        Assert.Equal(0, new Spectrum([]).EffectiveRank);
        Assert.Equal((1, 2, 4), (new Spectrum([8, 1, 0.6, 0.4]).AxesFor(0.8), new Spectrum([8, 1, 0.6, 0.4]).AxesFor(0.9), new Spectrum([8, 1, 0.6, 0.4]).AxesFor(1)));
    }

    [Fact]
    public void BitsFollowReverseWaterFilling()
    {
        // A level of 1/4 leaves 1/4 on two axes and all of the third: an error of 0.6.
        Assert.Equal(0.5 * Math.Log2(16) + 0.5 * Math.Log2(4), new Spectrum([4, 1, 0.1]).Bits(0.6), 1e-6);
        Assert.Equal(0, new Spectrum([4, 1]).Bits(5));
        // Halving the error of a full spectrum costs half a bit an axis.
        var flat = new Spectrum([1, 1, 1, 1]);
        Assert.Equal(2, flat.Bits(0.2) - flat.Bits(0.4), 1e-6);
    }

    private static double Variance(float[] values)
    {
        var mean = values.Average(v => (double)v);
        return values.Average(v => (v - mean) * (v - mean));
    }
}
