namespace DeltaKV.Tests.Reference;

/// <summary>Which tokens become references, and which of them a token leans on: the slow exact reference of the search kernel.</summary>
/// <remarks>Source: DeltaKV (arXiv 2602.08005). The paper restarts the stride with every flushed block and counts sinks as references; here it runs on and they are not.</remarks>
internal static class ReferencePlan
{
    /// <summary>Whether the token at an offset behind the sinks is kept as a reference.</summary>
    public static bool IsReference(int offset, int stride) => offset % stride == 0;

    /// <summary>Indices of the <paramref name="count"/> nearest references by squared distance, nearest first, the earlier at a tie.</summary>
    /// <param name="row">The token's pre-RoPE kv.</param>
    /// <param name="position">Its position; only references at or before it count.</param>
    /// <param name="references"><c>[references, row.Length]</c>.</param>
    /// <param name="positions">Where the references stand, ascending.</param>
    /// <param name="count">How many to return; fewer when there are fewer.</param>
    public static int[] Nearest(
        ReadOnlySpan<float> row, int position, ReadOnlySpan<float> references, ReadOnlySpan<int> positions, int count)
    {
        var candidates = new List<(double Distance, int Index)>();
        for (var index = 0; index < positions.Length && positions[index] <= position; index++)
        {
            var reference = references.Slice(index * row.Length, row.Length);
            var distance = 0.0;
            for (var i = 0; i < row.Length; i++)
                distance += ((double)row[i] - reference[i]) * ((double)row[i] - reference[i]);
            candidates.Add((distance, index));
        }

        return [.. candidates.Order().Take(count).Select(c => c.Index)];
    }

    /// <summary>The mean of some references, <c>[width]</c>.</summary>
    public static float[] Mean(ReadOnlySpan<float> references, ReadOnlySpan<int> indices, int width)
    {
        var mean = new float[width];
        foreach (var index in indices)
        {
            for (var i = 0; i < width; i++)
                mean[i] += references[index * width + i] / indices.Length;
        }

        return mean;
    }
}
