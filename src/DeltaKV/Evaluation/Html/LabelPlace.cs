namespace DeltaKV.Evaluation.Html;

/// <summary>Where a label goes.</summary>
/// <param name="X">Where its text begins.</param>
/// <param name="Y">Its baseline.</param>
/// <param name="Leader">A line from the point to the label, where they stand far apart.</param>
internal sealed record LabelPlace(double X, double Y, (double X1, double Y1, double X2, double Y2)? Leader);
