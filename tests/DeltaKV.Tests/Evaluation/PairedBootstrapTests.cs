using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Evaluation;

public sealed class PairedBootstrapTests
{
    [Fact]
    public void EqualScoresHaveAnEmptyInterval()
    {
        double[][] scores = [[1, 0, 1], [1, 1]];
        Assert.Equal((0.0, 0.0, 0.0), PairedBootstrap.Interval(scores, scores, 1));
    }

    [Fact]
    public void TheIntervalCoversTheTruthAboutAsOftenAsItSays()
    {
        const double truth = -0.1;
        var covered = 0;
        for (var trial = 0; trial < 200; trial++)
        {
            var random = new SeededRandom(trial, "coverage");
            double[][] baseline = [.. Enumerable.Range(0, 100).Select(_ => new[] { 1.0 })];
            double[][] scores = [.. baseline.Select(_ => new[] { random.NextDouble() < 0.9 ? 1.0 : 0.0 })];
            var (_, low, high) = PairedBootstrap.Interval(scores, baseline, trial);
            covered += low <= truth && truth <= high ? 1 : 0;
        }

        // 95 % nominal; the percentile bootstrap of 100 binary draws falls a little short, and 200 trials scatter by 1.5 points.
        Assert.InRange(covered, 176, 200);
    }

    [Fact]
    public void DifferentQuestionsAreRefused() =>
        Assert.Throws<ArgumentException>(() => PairedBootstrap.Interval([[1]], [[1, 0]], 1));
}
