using DeltaKV.Gpu;

namespace DeltaKV.Compression.Kivi;

/// <summary>Where the quantised blocks lie; on the device. What is stored goes by a token's slot in its sequence, whatever position its key was rotated to.</summary>
/// <param name="units">Blocks of 32 tokens <c>[block][layer][keyHead]</c>, in pieces of 16 bytes.</param>
/// <param name="tables">Block numbers by slot / 32 <c>[sequences, stride]</c>.</param>
/// <param name="tableStride">Entries of a row of <paramref name="tables"/>.</param>
/// <param name="blockUnits">Pieces of a block over all layers.</param>
/// <param name="keyHeads">Key/value heads.</param>
internal readonly struct KiviPool(ArrayView<UInt4> units, ArrayView<int> tables, int tableStride, int blockUnits, int keyHeads)
{
    /// <summary>Blocks of 32 tokens.</summary>
    public readonly ArrayView<UInt4> Units = units;

    /// <summary>Block numbers.</summary>
    public readonly ArrayView<int> Tables = tables;

    /// <summary>Entries of a row of the tables.</summary>
    public readonly int TableStride = tableStride;

    /// <summary>Pieces of a block.</summary>
    public readonly int BlockUnits = blockUnits;

    /// <summary>Key/value heads.</summary>
    public readonly int KeyHeads = keyHeads;

    /// <summary>The first piece of a head's keys or values in the block that holds a slot.</summary>
    public long PartOf(KiviLayer layer, int headDim, int sequence, int slot, int head, bool isValue)
    {
        // Sinks have no block; whoever asks for a slot that is not coded ignores what it gets.
        var block = Math.Max(Tables[(sequence * TableStride) + (slot >> 5)], 0);
        return ((long)block * BlockUnits) + layer.FirstUnit + (head * KiviLayout.HeadUnits(headDim, layer.KeyBits, layer.ValueBits))
            + (isValue ? KiviLayout.ValueUnit(headDim, layer.KeyBits) : 0);
    }
}
