using System.Diagnostics;
using DeltaKV.Engine;

namespace DeltaKV.Chat;

/// <summary>One request as telemetry sees it, from start to whatever end it takes.</summary>
internal sealed class ChatOperation(ChatTelemetry telemetry, Activity? activity, string responseId) : IDisposable
{
    private readonly long startedAt = Stopwatch.GetTimestamp();
    private string? errorType;
    private bool ended;

    internal void Complete(GenerationStatistics statistics, string finishReason)
    {
        ended = true;
        activity?.SetTag("gen_ai.response.finish_reasons", new[] { finishReason });
        activity?.SetTag("gen_ai.usage.input_tokens", statistics.PromptTokens);
        activity?.SetTag("gen_ai.usage.output_tokens", statistics.OutputTokens);
        activity?.SetTag("gen_ai.usage.cache_read.input_tokens", statistics.CachedTokens);
        activity?.SetTag("deltakv.kv.bytes", statistics.Kv.TotalBytes);
        RecordTokens("input", statistics.PromptTokens);
        RecordTokens("output", statistics.OutputTokens);
        telemetry.LogEnd(responseId, finishReason, statistics);
    }

    internal void Fail(Exception error)
    {
        ended = true;
        errorType = error.GetType().FullName;
        activity?.SetStatus(ActivityStatusCode.Error, error.Message);
        if (error is OperationCanceledException)
            telemetry.LogCancelled(responseId);
        else
            telemetry.LogFailed(responseId, error);
    }

    public void Dispose()
    {
        if (!ended)
        {
            // The caller stopped listening, which is its right.
            errorType = typeof(OperationCanceledException).FullName;
            telemetry.LogCancelled(responseId);
        }
        var tags = CommonTags();
        if (errorType is not null)
        {
            activity?.SetTag("error.type", errorType);
            tags.Add("error.type", errorType);
        }
        telemetry.OperationDuration.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds, tags);
        activity?.Dispose();
    }

    private void RecordTokens(string type, int count)
    {
        var tags = CommonTags();
        tags.Add("gen_ai.token.type", type);
        telemetry.TokenUsage.Record(count, tags);
    }

    private TagList CommonTags() => new()
    {
        { "gen_ai.operation.name", "chat" },
        { "gen_ai.provider.name", ChatTelemetry.Provider },
        { "gen_ai.request.model", telemetry.Model },
        { "gen_ai.response.model", telemetry.Model },
    };
}
