using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Kivi;

/// <summary>Reads one quantised layer: blocks of 32 tokens of its history, raw blocks of sinks and window. Keys are stored rotated, so nothing is rotated here.</summary>
/// <param name="pool">The quantised blocks.</param>
/// <param name="layer">The layer.</param>
/// <param name="raw">The layer's raw blocks.</param>
internal readonly struct KiviReader(KiviPool pool, KiviLayer layer, KvBlocks<BFloat16x8> raw) : IKvReader<KiviReader>
{
    /// <summary>The quantised blocks.</summary>
    public readonly KiviPool Pool = pool;

    /// <summary>The layer.</summary>
    public readonly KiviLayer Layer = layer;

    /// <summary>The layer's raw blocks.</summary>
    public readonly KvBlocks<BFloat16x8> Raw = raw;

    /// <inheritdoc/>
    public static void Load<THead>(
        KiviReader reader, int sequence, int head, bool isValue, bool isCoded, int position, ArrayView<UInt4> tile)
        where THead : struct, IHead
    {
        if (isCoded)
            KiviTile.Load<THead>(reader.Pool, reader.Layer, sequence, head, isValue, position, tile);
        else
            RawTile.Load<THead>(reader.Raw, reader.Pool.KeyHeads, sequence, head, isValue, position, tile);
    }
}
