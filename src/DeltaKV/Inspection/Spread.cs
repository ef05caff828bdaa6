namespace DeltaKV.Inspection;

/// <summary>A quantity over many tokens.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Low">The 1st percentile.</param>
/// <param name="High">The 99th percentile.</param>
internal sealed record Spread(double Mean, double Low, double High)
{
    /// <summary>Of some values; nothing of none.</summary>
    public static Spread Of(IReadOnlyCollection<float> values)
    {
        if (values.Count == 0)
            return new Spread(0, 0, 0);
        var sorted = values.Order().ToArray();
        double At(double share) => Math.Round(sorted[(int)(share * (sorted.Length - 1))], 5);
        return new Spread(Math.Round(sorted.Average(v => (double)v), 5), At(0.01), At(0.99));
    }
}
