namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Chooses which layers stay full and observe, so that the layers after each want about the tokens it would choose for them.</summary>
/// <remarks>
/// A full layer serves itself and every layer up to the next full one. With <c>overlap[i, j]</c> the share of layer j's most attended
/// tokens that layer i attends to as well, the best set of a given size is found by dynamic programming over segments. Layer 0 is always
/// full. Source: DeltaKV (arXiv 2602.08005), after OmniKV.
/// </remarks>
internal static class FullLayerSelection
{
    /// <summary>Share of the <paramref name="count"/> largest scores of one layer that are among the largest of another.</summary>
    public static double Overlap(ReadOnlySpan<float> observer, ReadOnlySpan<float> follower, int count)
    {
        var chosen = Top(observer, count).ToHashSet();
        var wanted = Top(follower, count);
        return wanted.Length == 0 ? 1 : wanted.Count(chosen.Contains) / (double)wanted.Length;
    }

    /// <summary>The full layers, ascending, that maximise the summed overlap of the other layers with their observer.</summary>
    /// <param name="overlap"><c>[layers, layers]</c>; only <c>observer &lt; follower</c> is read.</param>
    /// <param name="layers">Layers of the model.</param>
    /// <param name="full">How many stay full, layer 0 included.</param>
    public static int[] Select(ReadOnlySpan<double> overlap, int layers, int full)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(full, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(full, layers);
        var best = new double[full + 1, layers + 1];
        var next = new int[full + 1, layers + 1];
        for (var left = 0; left <= full; left++)
        {
            for (var layer = layers; layer >= 0; layer--)
            {
                best[left, layer] = left == 0 && layer == layers ? 0 : double.NegativeInfinity;
                if (left == 0 || layer == layers)
                    continue;
                var gain = 0.0;
                for (var end = layer + 1; end <= layers; end++)
                {
                    if (gain + best[left - 1, end] > best[left, layer])
                        (best[left, layer], next[left, layer]) = (gain + best[left - 1, end], end);
                    gain += end < layers ? overlap[layer * layers + end] : 0;
                }
            }
        }

        var result = new List<int>();
        for (var (layer, left) = (0, full); left > 0; (layer, left) = (next[left, layer], left - 1))
            result.Add(layer);
        return [.. result];
    }

    /// <summary>The fewest full layers with which the others miss no more than <paramref name="missing"/> of what they want, on average.</summary>
    public static int Count(ReadOnlySpan<double> overlap, int layers, double missing = 0.02)
    {
        for (var full = 1; full < layers; full++)
        {
            var chosen = Select(overlap, layers, full);
            var lost = 0.0;
            for (var layer = 0; layer < layers; layer++)
            {
                if (!chosen.Contains(layer))
                    lost += 1 - overlap[chosen.Last(c => c < layer) * layers + layer];
            }

            if (lost <= missing * (layers - full))
                return full;
        }

        return layers;
    }

    /// <summary>The full layers whose next layer is not full: those whose attention chooses tokens.</summary>
    public static int[] Observers(ReadOnlySpan<int> full, int layers)
    {
        var set = full.ToArray().ToHashSet();
        return [.. set.Where(layer => layer + 1 < layers && !set.Contains(layer + 1)).Order()];
    }

    private static int[] Top(ReadOnlySpan<float> scores, int count)
    {
        var copy = scores.ToArray();
        return [.. Enumerable.Range(0, copy.Length).OrderByDescending(i => copy[i]).Take(count)];
    }
}
