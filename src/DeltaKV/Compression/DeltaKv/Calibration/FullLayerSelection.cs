namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Chooses which layers stay full and observe, so that the layers after each want about the tokens it would choose for them.</summary>
/// <remarks>
/// A full layer serves itself and every layer up to the next full one. The best set of a given size is found by dynamic programming over
/// segments. Layer 0 is always full. Source: DeltaKV (arXiv 2602.08005), after OmniKV; there every layer weighs the same, here as much as it
/// looks at history at all, see <see cref="LayerOverlap"/>.
/// </remarks>
internal static class FullLayerSelection
{
    /// <summary>The full layers, ascending, with which the layers together see most of what they want: full ones all of it, others what their observer chose.</summary>
    /// <param name="overlap"><c>[observer, follower]</c>, what the follower sees through the observer; on the diagonal what a layer wants.</param>
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
                var gain = overlap[layer * layers + layer];
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

    /// <summary>The fewest full layers with which the others miss no more than <paramref name="missing"/> of what all layers want.</summary>
    public static int Count(ReadOnlySpan<double> overlap, int layers, double missing = 0.05)
    {
        for (var full = 1; full < layers; full++)
        {
            var chosen = Select(overlap, layers, full);
            var (lost, wanted) = (0.0, 0.0);
            for (var layer = 0; layer < layers; layer++)
            {
                wanted += overlap[layer * layers + layer];
                lost += overlap[layer * layers + layer] - overlap[chosen.Last(c => c <= layer) * layers + layer];
            }

            if (lost <= missing * wanted)
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

    /// <summary>Where the largest scores are.</summary>
    public static int[] Top(ReadOnlySpan<float> scores, int count)
    {
        var copy = scores.ToArray();
        return [.. Enumerable.Range(0, copy.Length).OrderByDescending(i => copy[i]).Take(count)];
    }
}
