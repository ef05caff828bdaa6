namespace DeltaKV.Compression.Codes;

/// <summary>How the keys or values of one head of a layer are decoded; an element of a device table <c>[layers, 2 keyHeads]</c>.</summary>
internal struct PartCode
{
    /// <summary>First word of the codes within a record.</summary>
    public int FirstWord;

    /// <summary>Pairs of 16-bit chunks.</summary>
    public int WidePairs;

    /// <summary>8-bit chunks after them.</summary>
    public int ByteChunks;

    /// <summary>4-bit chunks after them.</summary>
    public int NibbleChunks;

    /// <summary>3-bit chunks after them.</summary>
    public int OctalChunks;

    /// <summary>First word of these chunks' tails within a record.</summary>
    public int FirstTail;

    /// <summary>2-bit chunks after them.</summary>
    public int CrumbChunks;

    /// <summary>Number of the first integer chunk's scale.</summary>
    public int FirstScale;

    /// <summary>Products of 16 dimensions.</summary>
    public int Steps;

    /// <summary>First of the up matrix's fragments <c>[pass][step][pair][lane]</c>.</summary>
    public int FirstUp;
}
