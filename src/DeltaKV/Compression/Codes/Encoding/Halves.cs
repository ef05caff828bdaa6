namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Dimensions of 16 bits.</summary>
internal readonly struct Halves : IChunkWidth
{
    /// <inheritdoc/>
    public static int Bits => 16;

    /// <inheritdoc/>
    public static int Blocks => 2;
}
