using System.Collections.Immutable;
using DeltaKV.Engine;

namespace DeltaKV.Tests.Engine;

/// <summary>A request of a test, and whether its caller gives up: after so many tokens, or at once if 0.</summary>
internal sealed record RandomRequest(int[] Prompt, SamplingOptions Sampling, int? CancelAfter)
{
    /// <summary>What a caller got: no reason if it gave up.</summary>
    internal sealed record Outcome(ImmutableArray<int> Tokens, string Text, FinishReason? Reason);

    /// <summary>Sends the request, reads the answer and gives up where it should.</summary>
    internal async Task<Outcome> RunAsync(LlmEngine engine)
    {
        using var cancel = new CancellationTokenSource();
        var tokens = ImmutableArray.CreateBuilder<int>();
        var text = "";
        try
        {
            var generation = engine.GenerateAsync(Prompt, Sampling, cancel.Token);
            if (CancelAfter == 0)
                cancel.CancelAfter(TimeSpan.FromMilliseconds(1));
            await foreach (var update in generation)
            {
                tokens.Add(update.TokenId);
                text += update.Text;
                if (update.FinishReason is not null)
                    return new Outcome(tokens.ToImmutable(), text, update.FinishReason);
                if (tokens.Count == CancelAfter)
                    await cancel.CancelAsync();
            }
        }
        catch (OperationCanceledException) when (CancelAfter is not null)
        {
            return new Outcome(tokens.ToImmutable(), text, null);
        }

        throw new InvalidOperationException("A stream ended without a reason.");
    }

    /// <summary>Fails unless the outcome is that of the request alone, or the beginning of it if the caller gave up.</summary>
    internal static void AssertAgrees(Outcome alone, Outcome actual, string what)
    {
        if (actual.Reason is null)
        {
            Assert.True(alone.Tokens.Take(actual.Tokens.Length).SequenceEqual(actual.Tokens), $"{what}: cancelled, but its tokens differ");
            Assert.True(alone.Text.StartsWith(actual.Text, StringComparison.Ordinal), $"{what}: cancelled, but its text differs");
            return;
        }

        Assert.True(
            alone.Tokens.SequenceEqual(actual.Tokens), $"{what}: tokens {string.Join(' ', actual.Tokens)}, alone {string.Join(' ', alone.Tokens)}");
        Assert.True(alone.Text == actual.Text, $"{what}: text '{actual.Text}', alone '{alone.Text}'");
        Assert.True(alone.Reason == actual.Reason, $"{what}: ended with {actual.Reason}, alone {alone.Reason}");
    }
}
