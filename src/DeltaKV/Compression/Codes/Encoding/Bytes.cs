namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Dimensions of 8 bits.</summary>
internal readonly struct Bytes : IChunkWidth
{
    /// <inheritdoc/>
    public static int Bits => 8;

    /// <inheritdoc/>
    public static int Blocks => 2;
}
