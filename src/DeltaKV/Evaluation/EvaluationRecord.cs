namespace DeltaKV.Evaluation;

/// <summary>What one method scored on one task at one length: an element of the JSON result.</summary>
internal sealed record EvaluationRecord(
    string Method,
    string Task,
    int Length,
    EvaluationSetting Setting,
    long Seed,
    int Questions,
    double Correct,
    double Accuracy,
    long KvBytes,
    long FullKvBytes,
    double Ratio,
    long PeakKvBytes,
    double TtftMs,
    double DecodeTokensPerSecond,
    double? KlMean,
    double? Perplexity);
