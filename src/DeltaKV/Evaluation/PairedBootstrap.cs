namespace DeltaKV.Evaluation;

/// <summary>A 95 % interval of a mean difference, from resampled documents.</summary>
/// <remarks>
/// Both methods answered the same questions, so differences are taken per question; questions of one document stand or fall together, so
/// documents, not questions, are drawn. Source: Efron, 1979; clustered as in Field and Welsh, 2007.
/// </remarks>
internal static class PairedBootstrap
{
    private const int Draws = 2000;

    /// <summary>Mean difference and interval of <paramref name="scores"/> against <paramref name="baseline"/>, both <c>[document][question]</c>.</summary>
    public static (double Difference, double Low, double High) Interval(
        IReadOnlyList<IReadOnlyList<double>> scores, IReadOnlyList<IReadOnlyList<double>> baseline, long seed)
    {
        if (scores.Count != baseline.Count || scores.Zip(baseline).Any(pair => pair.First.Count != pair.Second.Count))
            throw new ArgumentException("Both sides must have answered the same questions.", nameof(baseline));
        var documents = scores.Zip(baseline, (s, b) => (Sum: s.Sum() - b.Sum(), s.Count)).ToArray();
        var random = new SeededRandom(seed, "bootstrap");
        var means = new double[Draws];
        for (var draw = 0; draw < Draws; draw++)
        {
            var (sum, count) = (0.0, 0);
            for (var i = 0; i < documents.Length; i++)
            {
                var document = documents[random.Next(documents.Length)];
                sum += document.Sum;
                count += document.Count;
            }

            means[draw] = sum / Math.Max(1, count);
        }

        Array.Sort(means);
        return (documents.Sum(d => d.Sum) / Math.Max(1, documents.Sum(d => d.Count)), means[Draws * 25 / 1000], means[Draws * 975 / 1000]);
    }
}
