namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Dimensions of 3 bits.</summary>
internal readonly struct Octals : IChunkWidth
{
    /// <inheritdoc/>
    public static int Bits => 3;

    /// <inheritdoc/>
    public static int Blocks => 8;
}
