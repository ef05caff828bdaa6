namespace DeltaKV.Compression.Codes;

/// <summary>Bits of a stored dimension. A chunk is 16 bytes of one width, 24 where that is 3: 128 bits are the unit of every bit budget.</summary>
internal enum ChunkWidth
{
    /// <summary>64 dimensions per chunk.</summary>
    Bits2 = 2,

    /// <summary>64 dimensions per chunk, which has a tail of eight bytes (<see cref="RecordLayout"/>).</summary>
    Bits3 = 3,

    /// <summary>32 dimensions per chunk.</summary>
    Bits4 = 4,

    /// <summary>16 dimensions per chunk.</summary>
    Bits8 = 8,

    /// <summary>8 dimensions per chunk, as halves; chunks come in pairs.</summary>
    Bits16 = 16,
}
