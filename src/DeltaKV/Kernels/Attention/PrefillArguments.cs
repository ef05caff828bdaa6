using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>What the kernel of prefill attention takes.</summary>
internal readonly struct PrefillArguments(
    ArrayView<BFloat16> qkv, ArrayView<PrefillTile> tiles, KvBlocks<BFloat16> cache, ArrayView<BFloat16> output, AttentionShape shape, PrefillPart part)
{
    /// <summary>Rotated q first in each row, in pieces of 16 bytes.</summary>
    public readonly ArrayView<UInt4> Qkv = qkv.Cast<UInt4>();

    /// <summary>What every group attends from.</summary>
    public readonly ArrayView<PrefillTile> Tiles = tiles;

    /// <summary>The layer's cache, the new tokens included.</summary>
    public readonly KvBlocks<UInt4> Cache = new(
        cache.Keys.Cast<UInt4>(), cache.Values.Cast<UInt4>(), cache.Tables, cache.TableStride, starts: cache.Starts);

    /// <summary>The result <c>[rows, queryHeads, headDim]</c> in pairs.</summary>
    public readonly ArrayView<BFloat16x2> Output = output.Cast<BFloat16x2>();

    /// <summary>Query heads.</summary>
    public readonly int QueryHeads = shape.QueryHeads;

    /// <summary>Key heads.</summary>
    public readonly int KeyHeads = shape.KeyHeads;

    /// <summary>Query heads per key head.</summary>
    public readonly int GroupSize = shape.GroupSize;

    /// <summary>Pieces of 16 bytes of a row of qkv.</summary>
    public readonly int QkvStride = shape.QkvWidth / 8;

    /// <summary>What turns a product of q and k into a binary exponent: log2(e) / sqrt(headDim).</summary>
    public readonly float ScoreScale = shape.ScoreScale;

    /// <summary>Which keys are there, if not all are.</summary>
    public readonly PrefillPart Part = part;
}
