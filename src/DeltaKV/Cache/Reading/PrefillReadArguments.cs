using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>What prefill attention over a reader needs besides the shape.</summary>
internal struct PrefillReadArguments<TReader>
    where TReader : unmanaged
{
    /// <summary>How keys and values are read.</summary>
    public TReader Reader;

    /// <summary>What every group attends from.</summary>
    public ArrayView<PrefillTile> Tiles;

    /// <summary>Which tokens are read, in which order.</summary>
    public TokenOrder Order;

    /// <summary>q, k, v side by side <c>[rows, qkvWidth]</c>, q rotated; pairs of bf16.</summary>
    public ArrayView<uint> Qkv;

    /// <summary>Attention output <c>[rows, queryHeads * headDim]</c>; pairs of bf16.</summary>
    public ArrayView<BFloat16x2> Output;

    /// <summary>1: only heads that read raw tokens alone attend; the output of the others stays as it is.</summary>
    public int WindowHeadsOnly;

    /// <summary>Query heads.</summary>
    public int QueryHeads;

    /// <summary>Query heads per key head.</summary>
    public int GroupSize;

    /// <summary>Words of a row of <see cref="Qkv"/>.</summary>
    public int QkvWords;

    /// <summary><c>log2(e) / sqrt(headDim)</c>.</summary>
    public float Scale;
}
