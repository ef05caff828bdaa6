using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>
/// Scores before the softmax that decode attention leaves behind for an observation layer: halves, times <c>log2 e / sqrt(headDim)</c>, <c>[rows, keyHeads, tokens, heads of the group, rounded up to pairs]</c>.
/// </summary>
/// <remarks>A half keeps 11 bits: weights that exceed one another by less than a hundredth may rank alike.</remarks>
/// <param name="pairs">Pairs of heads; an empty view: nothing is left behind.</param>
/// <param name="stride">Tokens of a list.</param>
/// <param name="groupSize">Query heads per key head.</param>
internal readonly struct TokenLogits(ArrayView<uint> pairs, int stride, int groupSize)
{
    /// <summary>Pairs of heads.</summary>
    public readonly ArrayView<uint> Pairs = pairs;

    /// <summary>Tokens of a list.</summary>
    public readonly int Stride = stride;

    /// <summary>Pairs of a token.</summary>
    public readonly int Width = WidthOf(groupSize);

    /// <summary>Whether anybody asks for them.</summary>
    public bool AreKept => Pairs.Length > 0;

    /// <summary>Pairs of a token.</summary>
    internal static int WidthOf(int groupSize) => (groupSize + 1) / 2;

    /// <summary>Keeps a fragment whose rows are tokens and whose columns are heads: lane (g, t) has tokens g and g + 8 of heads 2t and 2t + 1.</summary>
    /// <param name="list">Row and key head: <c>row * keyHeads + head</c>.</param>
    /// <param name="part">Which 8 query heads of the key head.</param>
    /// <param name="first">Number of the first token among the coded ones.</param>
    /// <param name="count">Coded tokens.</param>
    /// <param name="scores">The fragment.</param>
    /// <param name="scale">Factor on it.</param>
    public void Keep(long list, int part, int first, int count, Float4 scores, float scale)
    {
        var pair = (4 * part) + (Warp.LaneIdx & 3);
        var token = first + (Warp.LaneIdx >> 2);
        KeepPair(list, pair, token, count, scores.X * scale, scores.Y * scale);
        KeepPair(list, pair, token + 8, count, scores.Z * scale, scores.W * scale);
    }

    /// <summary>Keeps what two neighbouring heads think of a token, unless there is no such pair or token.</summary>
    private void KeepPair(long list, int pair, int token, int count, float even, float odd)
    {
        if (pair < Width && token >= 0 && token < count)
            Pairs[(((list * Stride) + token) * Width) + pair] = Half2.FromSingles(even, odd).Bits;
    }
}
