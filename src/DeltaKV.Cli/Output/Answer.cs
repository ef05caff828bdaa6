using System.Globalization;
using System.Text;
using DeltaKV.Chat;
using DeltaKV.Engine;
using Microsoft.Extensions.AI;

namespace DeltaKV.Cli.Output;

/// <summary>A finished answer and what it took.</summary>
internal sealed record Answer(string Text, string FinishReason, GenerationStatistics Statistics)
{
    /// <summary>The line under an answer.</summary>
    internal string StatsLine
    {
        get
        {
            var kv = Statistics.Kv;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"""
                [in {Statistics.PromptTokens:N0} (cached {Statistics.CachedTokens:N0}) | out {Statistics.OutputTokens:N0} | {FinishReason} | {Statistics.DecodeTokensPerSecond:F0} tok/s | TTFT {Statistics.TimeToFirstToken.TotalMilliseconds:F0} ms]
                [KV cache {Units.Bytes(kv.TotalBytes)} of {Units.Bytes(kv.FullBytes)} full ({100 * kv.Ratio:F1} %{(kv.Ratio > 1.1 ? ": blocks are partly empty" : "")}) | at most {Units.Bytes(Statistics.PeakKvBytes)} while reading]
                """);
        }
    }

    /// <summary>Asks through the model's chat format and passes text on as it comes.</summary>
    internal static async Task<Answer> ChatAsync(IChatClient client, string message, ChatOptions options, TextWriter output, CancellationToken cancellation)
    {
        var text = new StringBuilder();
        var reason = ChatFinishReason.Stop;
        GenerationStatistics? statistics = null;
        await foreach (var update in client.GetStreamingResponseAsync(new ChatMessage(ChatRole.User, message), options, cancellation))
        {
            await WriteAsync(update.Text, text, output, cancellation);
            reason = update.FinishReason ?? reason;
            if (update.AdditionalProperties?.TryGetValue(DeltaKVChatClient.StatisticsProperty, out GenerationStatistics? found) == true)
                statistics = found;
        }

        return new Answer(text.ToString(), reason.Value, statistics!);
    }

    /// <summary>Continues a text as it is and passes the continuation on as it comes.</summary>
    internal static async Task<Answer> ContinueAsync(LlmEngine engine, string prompt, SamplingOptions sampling, TextWriter output, CancellationToken cancellation)
    {
        var text = new StringBuilder();
        await foreach (var update in engine.GenerateAsync(prompt, sampling, cancellation))
        {
            await WriteAsync(update.Text, text, output, cancellation);
            if (update.FinishReason is { } reason)
                return new Answer(text.ToString(), (reason == Engine.FinishReason.Length ? ChatFinishReason.Length : ChatFinishReason.Stop).Value, update.Statistics!);
        }

        throw new OperationCanceledException("The generation ended without a last token.");
    }

    private static async Task WriteAsync(string piece, StringBuilder text, TextWriter output, CancellationToken cancellation)
    {
        if (piece.Length == 0)
            return;
        text.Append(piece);
        await output.WriteAsync(piece.AsMemory(), cancellation);
        await output.FlushAsync(cancellation);
    }
}
