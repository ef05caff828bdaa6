using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>What the two kernels of decode attention take.</summary>
internal readonly struct DecodeArguments(
    ArrayView<BFloat16> qkv,
    TokenRows rows,
    KvBlocks<BFloat16> cache,
    ArrayView<BFloat16> output,
    ArrayView<float> partialSums,
    ArrayView<Float2> partialScales,
    AttentionShape shape,
    int splits,
    ArrayView<ReadBounds> bounds = default,
    TokenLogits logits = default,
    ArrayView<float> logSumExp = default)
{
    /// <summary>Rotated q first in each row, in pieces of 16 bytes.</summary>
    public readonly ArrayView<UInt4> Qkv = qkv.Cast<UInt4>();

    /// <summary>Sequence and position of every row.</summary>
    public readonly TokenRows Rows = rows;

    /// <summary>The layer's cache.</summary>
    public readonly KvBlocks<UInt4> Cache = new(
        cache.Keys.Cast<UInt4>(), cache.Values.Cast<UInt4>(), cache.Tables, cache.TableStride, starts: cache.Starts);

    /// <summary>The result <c>[rows, queryHeads, headDim]</c>.</summary>
    public readonly ArrayView<BFloat16> Output = output;

    /// <summary>Normalised results of the splits <c>[rows, queryHeads, splits, headDim]</c>.</summary>
    public readonly ArrayView<float> PartialSums = partialSums;

    /// <summary>(largest score, sum of exponentials) of the splits <c>[rows, queryHeads, splits]</c>.</summary>
    public readonly ArrayView<Float2> PartialScales = partialScales;

    /// <summary>Which tokens of a sequence an observer may choose from, if the layer is observed.</summary>
    public readonly ArrayView<ReadBounds> Bounds = bounds;

    /// <summary>Where their scores are left behind.</summary>
    public readonly TokenLogits Logits = logits;

    /// <summary>Natural logarithm of the softmax denominator <c>[rows, queryHeads]</c>, if the layer is observed.</summary>
    public readonly ArrayView<float> LogSumExp = logSumExp;

    /// <summary>Key heads.</summary>
    public readonly int KeyHeads = shape.KeyHeads;

    /// <summary>Query heads per key head.</summary>
    public readonly int GroupSize = shape.GroupSize;

    /// <summary>Pieces of 16 bytes of a row of qkv.</summary>
    public readonly int QkvStride = shape.QkvWidth / 8;

    /// <summary>Groups that share a sequence and key head.</summary>
    public readonly int Splits = splits;

    /// <summary>What turns a product of q and k into a binary exponent: log2(e) / sqrt(headDim).</summary>
    public readonly float ScoreScale = shape.ScoreScale;
}
