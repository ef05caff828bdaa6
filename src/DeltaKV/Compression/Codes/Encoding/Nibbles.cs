namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Dimensions of 4 bits.</summary>
internal readonly struct Nibbles : IChunkWidth
{
    /// <inheritdoc/>
    public static int Bits => 4;

    /// <inheritdoc/>
    public static int Blocks => 4;
}
