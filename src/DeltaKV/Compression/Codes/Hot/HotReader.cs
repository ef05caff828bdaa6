using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Hot;

/// <summary>Reads one compressed layer through the hot set: selected history as slots of raw rows, sinks and window from their raw blocks.</summary>
/// <param name="hot">The layer's slots; a coded "position" is a slot.</param>
/// <param name="raw">The layer's raw blocks.</param>
/// <param name="keyHeads">Key/value heads.</param>
internal readonly struct HotReader(KvBlocks<BFloat16x8> hot, KvBlocks<BFloat16x8> raw, int keyHeads) : IKvReader<HotReader>
{
    /// <summary>The layer's slots.</summary>
    public readonly KvBlocks<BFloat16x8> Hot = hot;

    /// <summary>The layer's raw blocks.</summary>
    public readonly KvBlocks<BFloat16x8> Raw = raw;

    /// <summary>Key/value heads.</summary>
    public readonly int KeyHeads = keyHeads;

    /// <inheritdoc/>
    public static void Load<THead>(
        HotReader reader, int sequence, int head, bool isValue, bool isCoded, int position, ArrayView<UInt4> tile)
        where THead : struct, IHead
    {
        if (isCoded)
            RawTile.Load<THead>(reader.Hot, reader.KeyHeads, sequence, head, isValue, position, tile);
        else
            RawTile.Load<THead>(reader.Raw, reader.KeyHeads, sequence, head, isValue, position, tile);
    }
}
