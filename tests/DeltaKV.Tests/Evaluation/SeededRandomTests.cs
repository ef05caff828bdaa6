using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Evaluation;

public sealed class SeededRandomTests
{
    [Fact]
    public void ThePurposeSeparatesStreams()
    {
        Assert.Equal(new SeededRandom(1, "a", 2).NextBits(), new SeededRandom(1, "a", 2).NextBits());
        Assert.NotEqual(new SeededRandom(1, "a", 2).NextBits(), new SeededRandom(1, "a", 3).NextBits());
        Assert.NotEqual(new SeededRandom(1, "ab").NextBits(), new SeededRandom(1, "a", "b").NextBits());
    }

    [Fact]
    public void DrawsAreUniform()
    {
        var random = new SeededRandom(20);
        var counts = new int[10];
        for (var i = 0; i < 100_000; i++)
            counts[random.Next(10)]++;
        // 6 standard deviations of a binomial count.
        Assert.All(counts, c => Assert.InRange(c, 10_000 - 570, 10_000 + 570));
    }

    [Fact]
    public void NormalsHaveUnitVariance()
    {
        var random = new SeededRandom(21);
        var draws = Enumerable.Range(0, 100_000).Select(_ => random.NextNormal()).ToArray();
        Assert.InRange(draws.Average(), -0.02, 0.02);
        Assert.InRange(draws.Average(x => x * x), 0.97, 1.03);
    }

    [Fact]
    public void SamplesHaveNoRepeats()
    {
        var random = new SeededRandom(22);
        var sample = random.Sample<int>(Enumerable.Range(0, 30).ToArray(), 20);
        Assert.Equal(20, sample.Distinct().Count());
    }
}
