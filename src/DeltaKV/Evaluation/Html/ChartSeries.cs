namespace DeltaKV.Evaluation.Html;

/// <summary>Points that belong together.</summary>
/// <param name="Name">Written beside the line.</param>
/// <param name="Color">One of the page's colours.</param>
/// <param name="Points">From left to right.</param>
internal sealed record ChartSeries(string Name, string Color, IReadOnlyList<ChartPoint> Points);
