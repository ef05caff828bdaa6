namespace DeltaKV.Compression.DeltaKv;

/// <summary>What one key/value head of a coded layer keeps of history. From 2 on, the value is the bits of an element.</summary>
internal enum HeadTreatment
{
    /// <summary>Nothing: its attention reads sinks and window.</summary>
    Window = 0,

    /// <summary>Codes, as its layer has them.</summary>
    Coded = 1,

    /// <summary>Codes of its own, rotated, in 2 bits.</summary>
    Bits2 = 2,

    /// <summary>Codes of its own, rotated, in 3 bits.</summary>
    Bits3 = 3,

    /// <summary>Codes of its own, rotated, in 4 bits.</summary>
    Bits4 = 4,

    /// <summary>Codes of its own, rotated, in 8 bits.</summary>
    Bits8 = 8,

    /// <summary>Halves, as they are.</summary>
    Raw = 16,
}
