namespace DeltaKV.Compression.CompressKv;

/// <summary>Shares a token budget among layers by how much each layer's output suffers from eviction.</summary>
/// <remarks>
/// <c>B_l = clip(m + round(e_l (B_total - L m)), m, 3 B_average)</c> with the errors e normalised over layers; what rounding and clipping leave
/// over goes to, or comes from, layers in order of their errors. Source: CompressKV (arXiv 2508.02401).
/// </remarks>
internal static class LayerBudgets
{
    /// <summary>The least a layer keeps.</summary>
    public const int Minimum = 32;

    private const int LargestShare = 3;

    /// <summary>What one step's eviction did to a layer: <c>|compressed - full|_F / (|full|_F + 1e-6)</c> of outputs after W_O.</summary>
    public static double RelativeError(ReadOnlySpan<float> compressed, ReadOnlySpan<float> full)
    {
        var (difference, norm) = (0.0, 0.0);
        for (var i = 0; i < full.Length; i++)
        {
            difference += ((double)compressed[i] - full[i]) * ((double)compressed[i] - full[i]);
            norm += (double)full[i] * full[i];
        }

        return Math.Sqrt(difference) / (Math.Sqrt(norm) + 1e-6);
    }

    /// <summary>Tokens per layer; they add up to <paramref name="perLayer"/> times the layers.</summary>
    /// <param name="errors">One summed error per layer, not all zero.</param>
    /// <param name="perLayer">The average budget, at least <see cref="Minimum"/>.</param>
    /// <param name="most">No layer can keep more; at least <paramref name="perLayer"/>.</param>
    public static int[] Distribute(ReadOnlySpan<double> errors, int perLayer, int most = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(perLayer, Minimum);
        var layers = errors.Length;
        var share = errors.ToArray();
        var sum = share.Sum();
        share = [.. share.Select(e => sum > 0 ? e / sum : 1.0 / layers)];
        var largest = (int)Math.Min((long)LargestShare * perLayer, most);
        var budgets = share.Select(e => (int)Math.Clamp(Minimum + Math.Round(e * layers * (perLayer - Minimum)), Minimum, largest)).ToArray();
        var order = Enumerable.Range(0, layers).OrderByDescending(layer => share[layer]).ToArray();
        var left = perLayer * layers - budgets.Sum();
        foreach (var layer in left > 0 ? order : order.Reverse())
        {
            var change = Math.Clamp(left, Minimum - budgets[layer], largest - budgets[layer]);
            budgets[layer] += change;
            left -= change;
        }

        return budgets;
    }
}
