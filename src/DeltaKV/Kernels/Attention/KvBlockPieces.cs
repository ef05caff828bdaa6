using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>Raw blocks in the pieces that kernels load.</summary>
internal static class KvBlockPieces
{
    /// <summary>The same blocks in eights of elements.</summary>
    internal static KvBlocks<BFloat16x8> Eights(this KvBlocks<BFloat16> blocks) =>
        new(blocks.Keys.Cast<BFloat16x8>(), blocks.Values.Cast<BFloat16x8>(), blocks.Tables, blocks.TableStride, blocks.BlockShift);
}
