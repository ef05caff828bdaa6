namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Dimensions of 2 bits.</summary>
internal readonly struct Crumbs : IChunkWidth
{
    /// <inheritdoc/>
    public static int Bits => 2;

    /// <inheritdoc/>
    public static int Blocks => 8;
}
