namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Bits of a dimension as a compile-time constant.</summary>
internal interface IChunkWidth
{
    /// <summary>2, 3, 4, 8 or 16.</summary>
    static abstract int Bits { get; }

    /// <summary>Column blocks of eight that a unit of work has: a chunk, or two of 16 bits.</summary>
    static abstract int Blocks { get; }
}
