namespace DeltaKV.Kernels.Attention;

/// <summary>The heads of an attention layer.</summary>
/// <param name="QueryHeads">Query heads; a multiple of <paramref name="KeyHeads"/>.</param>
/// <param name="KeyHeads">Key/value heads.</param>
/// <param name="HeadDim">Elements of a head: 64, 80, 96 or 128.</param>
internal readonly record struct AttentionShape(int QueryHeads, int KeyHeads, int HeadDim)
{
    /// <summary>Query heads that share a key head.</summary>
    internal int GroupSize => QueryHeads / KeyHeads;

    /// <summary>Elements of a row of q, k and v side by side.</summary>
    internal int QkvWidth => (QueryHeads + (2 * KeyHeads)) * HeadDim;

    /// <summary>Elements of a row of attention output.</summary>
    internal int OutputWidth => QueryHeads * HeadDim;

    /// <summary>Factor on scores, so that softmax may be taken to base 2: <c>log2(e) / sqrt(headDim)</c>.</summary>
    internal float ScoreScale => Softmax.Log2E / MathF.Sqrt(HeadDim);

    /// <summary>Elements of the keys, or of the values, of one block of one layer.</summary>
    internal int BlockElements => KeyHeads * KvBlockLayout.Size * HeadDim;

    /// <summary>Refuses what no kernel is made for.</summary>
    internal void Validate()
    {
        if (HeadDim is not (64 or 80 or 96 or 128))
            throw new NotSupportedException($"Attention heads of {HeadDim} elements are not supported; 64, 80, 96 and 128 are.");
        if (KeyHeads <= 0 || QueryHeads % KeyHeads != 0 || GroupSize > 16)
            throw new NotSupportedException($"{QueryHeads} query heads over {KeyHeads} key heads are not supported: need 1 to 16 per key head.");
    }
}
