using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>Reads one compressed layer after its tokens were reconstructed: history from rows in the order of a <see cref="HistorySpan"/>, sinks and window from their raw blocks.</summary>
/// <param name="rows">The reconstructed rows; their table is the identity.</param>
/// <param name="raw">The layer's raw blocks.</param>
/// <param name="keyHeads">Key/value heads.</param>
/// <param name="firstSequence">Row of the tables of the first sequence.</param>
/// <param name="slotsPerSequence">Slots of a sequence.</param>
/// <param name="starts">Bounds where positions are numbers within a selection; an empty view where they are positions.</param>
internal readonly struct DecodedReader(
    KvBlocks<BFloat16x8> rows, KvBlocks<BFloat16x8> raw, int keyHeads, int firstSequence, int slotsPerSequence, ArrayView<ReadBounds> starts) : IKvReader<DecodedReader>
{
    /// <summary>The reconstructed rows.</summary>
    public readonly KvBlocks<BFloat16x8> Rows = rows;

    /// <summary>The layer's raw blocks.</summary>
    public readonly KvBlocks<BFloat16x8> Raw = raw;

    /// <summary>Key/value heads.</summary>
    public readonly int KeyHeads = keyHeads;

    /// <summary>Row of the tables of the first sequence.</summary>
    public readonly int FirstSequence = firstSequence;

    /// <summary>Slots of a sequence.</summary>
    public readonly int SlotsPerSequence = slotsPerSequence;

    /// <summary>Bounds where positions are numbers within a selection.</summary>
    public readonly ArrayView<ReadBounds> Starts = starts;

    /// <inheritdoc/>
    public static void Load<THead>(
        DecodedReader reader, int sequence, int head, bool isValue, bool isCoded, int position, ArrayView<UInt4> tile)
        where THead : struct, IHead
    {
        if (!isCoded)
        {
            RawTile.Load<THead>(reader.Raw, reader.KeyHeads, sequence, head, isValue, position, tile);
            return;
        }

        var slot = ((sequence - reader.FirstSequence) * reader.SlotsPerSequence) + position;
        if (reader.Starts.Length > 0)
            slot += reader.Starts[sequence].CodedStart;
        RawTile.Load<THead>(reader.Rows, reader.KeyHeads, 0, head, isValue, position < 0 ? -1 : slot, tile);
    }
}
