namespace DeltaKV.Evaluation;

/// <summary>How far a run is.</summary>
internal readonly record struct EvaluationProgress(int Completed, int Total, string Current);
