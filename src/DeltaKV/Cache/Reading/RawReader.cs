using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>Reads uncompressed blocks: the plainest reader, and the reference the others are compared with.</summary>
/// <param name="blocks">The layer's blocks.</param>
/// <param name="keyHeads">Key/value heads.</param>
internal readonly struct RawReader(KvBlocks<BFloat16x8> blocks, int keyHeads) : IKvReader<RawReader>
{
    /// <summary>The layer's blocks.</summary>
    public readonly KvBlocks<BFloat16x8> Blocks = blocks;

    /// <summary>Key/value heads.</summary>
    public readonly int KeyHeads = keyHeads;

    /// <inheritdoc/>
    public static void Load<THead>(
        RawReader reader, int sequence, int head, bool isValue, bool isCoded, int position, ArrayView<UInt4> tile)
        where THead : struct, IHead =>
        RawTile.Load<THead>(reader.Blocks, reader.KeyHeads, sequence, head, isValue, position, tile);
}
