namespace DeltaKV.Compression.CompressKv;

/// <summary>Chooses what a layer keeps of a prompt from the attention of some heads' last queries; the slow form, on the host.</summary>
/// <remarks>
/// Attention of the last w queries, causal, summed over them; of the tokens before the window, averaged over neighbours (kernel 5, stride 1, zeros
/// beyond the ends); the mean over heads ranks them. The best <c>budget - w</c> stay, and the window. Source: CompressKV (arXiv 2508.02401).
/// </remarks>
internal static class WindowSelection
{
    /// <summary>Queries that choose, and tokens that always stay.</summary>
    public const int Window = 8;

    private const int PoolRadius = 2;

    /// <summary>Positions to keep, ascending.</summary>
    /// <param name="attention">Per head, the attention of its last queries summed over them, one number per token of the prompt.</param>
    /// <param name="budget">Tokens to keep, more than <see cref="Window"/>.</param>
    public static int[] Select(IReadOnlyList<float[]> attention, int budget)
    {
        var tokens = attention[0].Length;
        if (budget >= tokens)
            return [.. Enumerable.Range(0, tokens)];
        var history = tokens - Window;
        var scores = new float[history];
        foreach (var head in attention)
        {
            for (var token = 0; token < history; token++)
                scores[token] += Pooled(head.AsSpan(0, history), token) / attention.Count;
        }

        return [.. Enumerable.Range(0, history).OrderByDescending(token => scores[token]).Take(budget - Window).Order(), .. Enumerable.Range(history, Window)];
    }

    private static float Pooled(ReadOnlySpan<float> values, int token)
    {
        var sum = 0f;
        for (var i = Math.Max(0, token - PoolRadius); i <= Math.Min(values.Length - 1, token + PoolRadius); i++)
            sum += values[i];
        return sum / (2 * PoolRadius + 1);
    }
}
