using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes;

/// <summary>Reads one compressed layer: codes of its compressed history, raw blocks of sinks and window.</summary>
/// <param name="pool">Codes and references.</param>
/// <param name="raw">The layer's raw blocks.</param>
/// <param name="layer">Number among the compressed layers.</param>
internal readonly struct CodeReader(CodePoolView pool, KvBlocks<BFloat16x8> raw, int layer) : IKvReader<CodeReader>
{
    /// <summary>Codes and references.</summary>
    public readonly CodePoolView Pool = pool;

    /// <summary>The layer's raw blocks.</summary>
    public readonly KvBlocks<BFloat16x8> Raw = raw;

    /// <summary>Number among the compressed layers.</summary>
    public readonly int Layer = layer;

    /// <inheritdoc/>
    public static void Load<THead>(
        CodeReader reader, int sequence, int head, bool isValue, bool isCoded, int position, ArrayView<UInt4> tile)
        where THead : struct, IHead
    {
        if (isCoded)
            CodedTile.Load<THead>(reader.Pool, reader.Layer, sequence, head, isValue, position, tile);
        else
            RawTile.Load<THead>(reader.Raw, reader.Pool.KeyHeads, sequence, head, isValue, position, tile);
    }
}
