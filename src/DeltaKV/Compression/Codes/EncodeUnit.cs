namespace DeltaKV.Compression.Codes;

/// <summary>A chunk to encode (a pair of chunks where 16 bits wide), the work of one warp; an element of a device table.</summary>
internal struct EncodeUnit
{
    /// <summary>Bits of a dimension.</summary>
    public int Width;

    /// <summary>First word of the chunk within a record.</summary>
    public int FirstWord;

    /// <summary>First word of the chunk's tail within a record, where it is 3 bits wide.</summary>
    public int TailWord;

    /// <summary>Number of the chunk's scale, where there is one per chunk.</summary>
    public int Scale;

    /// <summary>First kv element that takes part, in steps of 16.</summary>
    public int FirstStep;

    /// <summary>Number of steps.</summary>
    public int Steps;

    /// <summary>First of the down matrix's fragments <c>[step][column pair][lane]</c>.</summary>
    public int FirstDown;
}
