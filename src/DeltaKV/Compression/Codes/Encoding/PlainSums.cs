namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>Sums as they are: the last layer of a network.</summary>
internal readonly struct PlainSums : IFeatureKind
{
    /// <inheritdoc/>
    public static bool Gates => false;

    /// <inheritdoc/>
    public static bool Bends => false;
}
