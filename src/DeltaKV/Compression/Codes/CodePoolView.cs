using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes;

/// <summary>Where codes and references lie, and the tables of how they decode; all on the device.</summary>
internal struct CodePoolView
{
    /// <summary>Blocks of 16 tokens: <c>[block][layer][token][record words]</c>.</summary>
    public ArrayView<uint> Records;

    /// <summary>Block numbers by position / 16 <c>[sequences, stride]</c>.</summary>
    public ArrayView<int> BlockTables;

    /// <summary>Entries of a row of <see cref="BlockTables"/>.</summary>
    public int BlockStride;

    /// <summary>Words of a block.</summary>
    public int BlockWords;

    /// <summary>Blocks of 16 references: <c>[block][layer with references][reference][row words]</c>.</summary>
    public ArrayView<uint> References;

    /// <summary>Squared norms of references <c>[block][layer][reference]</c>.</summary>
    public ArrayView<float> ReferenceNorms;

    /// <summary>Block numbers by reference ordinal / 16 <c>[sequences, stride]</c>.</summary>
    public ArrayView<int> ReferenceTables;

    /// <summary>Entries of a row of <see cref="ReferenceTables"/>.</summary>
    public int ReferenceStride;

    /// <summary>Bits of an element of a reference: 16, 8 or 4.</summary>
    public int ReferenceBits;

    /// <summary>Words of a reference's row.</summary>
    public int ReferenceWords;

    /// <summary>Compressed layers.</summary>
    public int Layers;

    /// <summary>Those with references.</summary>
    public int ReferenceLayers;

    /// <summary>The recomputed layer's kv of every token of the vocabulary, pairs of halves <c>[vocabulary, width / 2]</c>; empty without such a layer.</summary>
    public ArrayView<uint> TokenRows;

    /// <summary>Token ids by position <c>[sequences, stride]</c>; empty without a recomputed layer.</summary>
    public ArrayView<int> TokenIds;

    /// <summary>Entries of a row of <see cref="TokenIds"/>.</summary>
    public int TokenStride;

    /// <summary>Positions of the tokens of records, <c>[block][16]</c>, where they are not their slots; or an empty view.</summary>
    public ArrayView<int> Positions;

    /// <summary>Key/value heads.</summary>
    public int KeyHeads;

    /// <summary>By compressed layer.</summary>
    public ArrayView<LayerCode> LayerCodes;

    /// <summary>By compressed layer and part (keys of the heads, then values).</summary>
    public ArrayView<PartCode> PartCodes;

    /// <summary>Up matrices in fragment order.</summary>
    public ArrayView<UInt4> Up;

    /// <summary>Means <c>[layers, width]</c>, pairs of fp32.</summary>
    public ArrayView<Float2> Mean;

    /// <summary>RoPE's angle per position <c>[headDim / 2]</c>.</summary>
    public ArrayView<float> InverseFrequencies;

    /// <summary>RoPE's factor on cos and sin.</summary>
    public float RopeScale;

    /// <summary>First word of the record of a position.</summary>
    public long RecordOf(LayerCode layer, int sequence, int position)
    {
        // Sinks have no block; whoever asks for a position that is not coded ignores what it gets.
        var block = Math.Max(BlockTables[(sequence * BlockStride) + (position >> 4)], 0);
        return ((long)block * BlockWords) + layer.FirstWord + ((position & 15) * layer.RecordWords);
    }

    /// <summary>The position of the token in a slot; that of none is negative.</summary>
    public int PositionOf(int sequence, int slot) => Positions.Length == 0 || slot < 0
        ? slot
        : Positions[((long)Math.Max(BlockTables[(sequence * BlockStride) + (slot >> 4)], 0) << 4) + (slot & 15)];

    /// <summary>First word of a reference's row.</summary>
    public long ReferenceOf(LayerCode code, int sequence, int ordinal) => (long)PlaceOf(code, sequence, ordinal) * ReferenceWords;

    /// <summary>Number of a reference's row among all.</summary>
    public int PlaceOf(LayerCode code, int sequence, int ordinal)
    {
        var block = ReferenceTables[(sequence * ReferenceStride) + (ordinal >> 4)];
        return (((block * ReferenceLayers) + code.ReferenceLayer) * 16) + (ordinal & 15);
    }
}
