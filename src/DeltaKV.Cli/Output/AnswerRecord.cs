using DeltaKV.Engine;

namespace DeltaKV.Cli.Output;

/// <summary>An answer as JSON.</summary>
internal sealed record AnswerRecord(
    string Model,
    string Device,
    string Text,
    string FinishReason,
    int PromptTokens,
    int CachedTokens,
    int OutputTokens,
    double TimeToFirstTokenMs,
    double DurationMs,
    double DecodeTokensPerSecond,
    long KvBytes,
    long FullKvBytes,
    double Ratio,
    long PeakKvBytes,
    int Preemptions)
{
    internal static AnswerRecord Of(Answer answer, LlmEngine engine)
    {
        var statistics = answer.Statistics;
        return new AnswerRecord(
            engine.ModelName,
            engine.Plan.Device,
            answer.Text,
            answer.FinishReason,
            statistics.PromptTokens,
            statistics.CachedTokens,
            statistics.OutputTokens,
            statistics.TimeToFirstToken.TotalMilliseconds,
            statistics.Duration.TotalMilliseconds,
            statistics.DecodeTokensPerSecond,
            statistics.Kv.TotalBytes,
            statistics.Kv.FullBytes,
            statistics.Kv.Ratio,
            statistics.PeakKvBytes,
            statistics.Preemptions);
    }
}
