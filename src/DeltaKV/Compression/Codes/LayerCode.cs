namespace DeltaKV.Compression.Codes;

/// <summary>What kernels must know of a compressed layer; an element of a device table.</summary>
internal struct LayerCode
{
    /// <summary>In place of a number of references: kv before RoPE is a function of the token alone (the first layer) and comes from a table of all tokens.</summary>
    internal const int Recomputed = -1;

    /// <summary>First word of the layer's records within a block.</summary>
    public int FirstWord;

    /// <summary>Words of a record.</summary>
    public int RecordWords;

    /// <summary>First word of the scales within a record; -1: none, steps are folded into the matrices.</summary>
    public int ScaleWord;

    /// <summary>1: a scale per integer chunk; 0: one per token.</summary>
    public int ScaleStride;

    /// <summary>First word of the reference ids within a record.</summary>
    public int IdWord;

    /// <summary>References per token, 0 to 4; <see cref="Recomputed"/>: the row of the token's id, nothing is stored.</summary>
    public int Neighbours;

    /// <summary>Number among the layers that have references.</summary>
    public int ReferenceLayer;

    /// <summary>First of the layer's entries in the table of encode units.</summary>
    public int FirstUnit;

    /// <summary>Number of those.</summary>
    public int UnitCount;

    /// <summary>Features of the layer's encoder; 0: it is linear.</summary>
    public int FeatureCount;
}
