using System.Collections.Immutable;
using System.Text;

namespace DeltaKV.Engine;

/// <summary>Waits for generations to end, for callers who do not want tokens as they come.</summary>
internal static class GenerationCollector
{
    /// <summary>The whole of one.</summary>
    internal static async Task<GenerationResult> CollectAsync(IAsyncEnumerable<GenerationUpdate> updates)
    {
        var text = new StringBuilder();
        var tokens = ImmutableArray.CreateBuilder<int>();
        await foreach (var update in updates.ConfigureAwait(false))
        {
            text.Append(update.Text);
            tokens.Add(update.TokenId);
            if (update.FinishReason is { } reason)
                return new GenerationResult(text.ToString(), tokens.ToImmutable(), reason, update.Statistics!);
        }

        throw new OperationCanceledException("The generation was cancelled.");
    }

    /// <summary>The whole of many, in their order. If one fails, all end.</summary>
    /// <param name="start">Begins all of them; the token it is given ends them.</param>
    /// <param name="cancellation">Ends them from outside.</param>
    internal static async Task<IReadOnlyList<GenerationResult>> CollectAllAsync(
        Func<CancellationToken, IEnumerable<IAsyncEnumerable<GenerationUpdate>>> start, CancellationToken cancellation)
    {
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        // All of them are checked before the first is computed.
        var tasks = start(together.Token).ToList().ConvertAll(CollectAsync);
        try
        {
            return await Task.WhenAll(tasks.Select(CancelOthersOnFailure)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The others were cancelled because one failed: that one's error is the news.
            await tasks.First(task => task.IsFaulted).ConfigureAwait(false);
            throw;
        }

        async Task<GenerationResult> CancelOthersOnFailure(Task<GenerationResult> task)
        {
            try
            {
                return await task.ConfigureAwait(false);
            }
            catch
            {
                await together.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }
}
