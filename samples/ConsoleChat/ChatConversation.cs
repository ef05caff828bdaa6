using System.Globalization;
using DeltaKV.Chat;
using DeltaKV.Engine;
using Microsoft.Extensions.AI;
using Spectre.Console;

namespace ConsoleChat;

/// <summary>One conversation: streams answers to a writer and a stats line to the status console.</summary>
internal sealed class ChatConversation(IChatClient client, TextWriter answers, IAnsiConsole status)
{
    private readonly ChatOptions options = new() { ConversationId = NewId(), Temperature = 0 };

    private Action? stop;

    /// <summary>What the last answer took; null before the first.</summary>
    internal string? LastStats { get; private set; }

    /// <summary>Forgets what was said.</summary>
    internal void Reset() => options.ConversationId = NewId();

    /// <summary>Stops the answer in the making.</summary>
    /// <returns>Whether there is one that is not stopping already.</returns>
    internal bool Stop()
    {
        var answer = Interlocked.Exchange(ref stop, null);
        answer?.Invoke();
        return answer is not null;
    }

    /// <exception cref="OperationCanceledException">The answer was stopped.</exception>
    internal async Task AskAsync(string message)
    {
        var cancellation = new CancellationTokenSource();
        stop = cancellation.Cancel;
        try
        {
            await AskAsync(message, cancellation.Token);
        }
        finally
        {
            stop = null;
        }
    }

    private async Task AskAsync(string message, CancellationToken cancellation)
    {
        GenerationStatistics? statistics = null;
        ChatFinishReason? reason = null;
        await foreach (var update in client.GetStreamingResponseAsync(new ChatMessage(ChatRole.User, message), options, cancellation))
        {
            await answers.WriteAsync(update.Text);
            await answers.FlushAsync(cancellation);
            reason = update.FinishReason ?? reason;
            if (update.AdditionalProperties?.TryGetValue(DeltaKVChatClient.StatisticsProperty, out GenerationStatistics? found) == true)
                statistics = found;
        }

        await answers.WriteLineAsync();
        if (statistics is null)
            return;
        LastStats = Describe(statistics, reason);
        status.MarkupLineInterpolated($"[grey]{LastStats}[/]");
    }

    private static string Describe(GenerationStatistics s, ChatFinishReason? reason)
    {
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            [in {s.PromptTokens:N0} (cached {s.CachedTokens:N0}) | out {s.OutputTokens} | {reason?.Value ?? "cancelled"} | {s.DecodeTokensPerSecond:F0} tok/s | TTFT {s.TimeToFirstToken.TotalMilliseconds:F0} ms]
            [KV cache {s.Kv.TotalBytes / 1e6:F2} MB of {s.Kv.FullBytes / 1e6:F1} MB full ({100 * s.Kv.Ratio:F1} %{(s.Kv.Ratio > 1.1 ? ": blocks are partly empty" : "")}) | at most {s.PeakKvBytes / 1e6:F1} MB while reading]
            """);
    }

    private static string NewId() => Guid.NewGuid().ToString("n");
}
