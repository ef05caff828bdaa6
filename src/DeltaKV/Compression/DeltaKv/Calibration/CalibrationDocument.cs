namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>A text to calibrate on.</summary>
/// <param name="Tokens">The text.</param>
/// <param name="QueryPositions">Where attention is watched: the questions and answers, or a sample of plain text.</param>
internal sealed record CalibrationDocument(int[] Tokens, int[] QueryPositions);
