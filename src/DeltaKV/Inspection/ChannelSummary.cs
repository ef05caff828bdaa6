namespace DeltaKV.Inspection;

/// <summary>The channels of one kind of vector.</summary>
/// <param name="Rms">Root mean square of each.</param>
/// <param name="Least">Least value of each.</param>
/// <param name="Greatest">Greatest value of each.</param>
/// <param name="Outliers">Channels whose root mean square is more than three times the median one.</param>
internal sealed record ChannelSummary(IReadOnlyList<double> Rms, IReadOnlyList<double> Least, IReadOnlyList<double> Greatest, IReadOnlyList<int> Outliers);
