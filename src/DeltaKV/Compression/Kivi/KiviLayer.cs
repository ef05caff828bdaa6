namespace DeltaKV.Compression.Kivi;

/// <summary>What kernels must know of a layer quantised as in KIVI; an element of a device table.</summary>
internal struct KiviLayer
{
    /// <summary>First piece of 16 bytes of the layer within a block.</summary>
    public int FirstUnit;

    /// <summary>Bits of a key element.</summary>
    public int KeyBits;

    /// <summary>Bits of a value element.</summary>
    public int ValueBits;

    /// <summary>1: the channels of a head are mixed, see <see cref="KiviRotation"/>.</summary>
    public int IsRotated;

    /// <summary>Bits of an element of the keys or of the values.</summary>
    public readonly int Bits(bool isValue) => isValue ? ValueBits : KeyBits;
}
