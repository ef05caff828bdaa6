using System.Diagnostics;
using System.Diagnostics.Metrics;
using DeltaKV.Engine;
using Microsoft.Extensions.Logging;

namespace DeltaKV.Chat;

/// <summary>Traces, measures and logs chat requests, after the OpenTelemetry GenAI conventions. Never records what was said.</summary>
internal sealed partial class ChatTelemetry(string model, ILogger logger) : IDisposable
{
    internal const string SourceName = "DeltaKV";
    internal const string Provider = "deltakv";

    private static readonly ActivitySource Source = new(SourceName);

    private readonly Meter meter = new(SourceName);

    internal string Model { get; } = model;

    internal Histogram<long> TokenUsage => field ??= meter.CreateHistogram<long>("gen_ai.client.token.usage", "{token}", "Tokens of a request.");

    internal Histogram<double> OperationDuration => field ??= meter.CreateHistogram<double>("gen_ai.client.operation.duration", "s", "Duration of a request.");

    internal ChatOperation Start(ChatRequest request, string responseId, string conversationId)
    {
        var activity = Source.StartActivity($"chat {Model}", ActivityKind.Client);
        if (activity is not null)
            Describe(activity, request, responseId, conversationId);
        return new ChatOperation(this, activity, responseId);
    }

    public void Dispose() => meter.Dispose();

    internal void LogEnd(string responseId, string reason, GenerationStatistics statistics) => LogCompleted(
        responseId, reason, statistics.PromptTokens, statistics.CachedTokens, statistics.OutputTokens, statistics.Duration.TotalMilliseconds, statistics.Kv.TotalBytes);

    [LoggerMessage(Level = LogLevel.Debug, Message =
        "Response {ResponseId} ended ({Reason}): {PromptTokens} tokens in ({CachedTokens} cached), {OutputTokens} out, {DurationMs:F0} ms, {KvBytes} KV bytes")]
    internal partial void LogCompleted(string responseId, string reason, int promptTokens, int cachedTokens, int outputTokens, double durationMs, long kvBytes);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Response {ResponseId} was cancelled")]
    internal partial void LogCancelled(string responseId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Response {ResponseId} failed")]
    internal partial void LogFailed(string responseId, Exception error);

    private void Describe(Activity activity, ChatRequest request, string responseId, string conversationId)
    {
        activity.SetTag("gen_ai.operation.name", "chat");
        activity.SetTag("gen_ai.provider.name", Provider);
        activity.SetTag("gen_ai.request.model", Model);
        activity.SetTag("gen_ai.response.model", Model);
        activity.SetTag("gen_ai.response.id", responseId);
        activity.SetTag("gen_ai.conversation.id", conversationId);
        activity.SetTag("gen_ai.request.temperature", request.Sampling.Temperature);
        activity.SetTag("gen_ai.request.top_p", request.Sampling.TopP);
        activity.SetTag("gen_ai.request.top_k", request.Sampling.TopK);
        activity.SetTag("gen_ai.request.frequency_penalty", request.Sampling.FrequencyPenalty);
        activity.SetTag("gen_ai.request.presence_penalty", request.Sampling.PresencePenalty);
        if (request.Sampling.MaxTokens is { } limit)
            activity.SetTag("gen_ai.request.max_tokens", limit);
        if (request.Sampling.Seed is { } seed)
            activity.SetTag("gen_ai.request.seed", seed);
        if (!request.Sampling.StopSequences.IsEmpty)
            activity.SetTag("gen_ai.request.stop_sequences", request.Sampling.StopSequences.ToArray());
    }
}
