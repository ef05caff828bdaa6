namespace DeltaKV.Evaluation.Html;

/// <summary>A point with its uncertainty.</summary>
/// <param name="X">To the right.</param>
/// <param name="Y">Up.</param>
/// <param name="Low">The interval's lower end.</param>
/// <param name="High">Its upper end.</param>
/// <param name="Tip">What a pointer is told.</param>
internal sealed record ChartPoint(double X, double Y, double Low, double High, string Tip);
