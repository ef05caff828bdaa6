namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>GELU features.</summary>
internal readonly struct SmoothFeatures : IFeatureKind
{
    /// <inheritdoc/>
    public static bool Gates => false;

    /// <inheritdoc/>
    public static bool Bends => true;
}
