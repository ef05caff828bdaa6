namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>SwiGLU features.</summary>
internal readonly struct GatedFeatures : IFeatureKind
{
    /// <inheritdoc/>
    public static bool Gates => true;

    /// <inheritdoc/>
    public static bool Bends => false;
}
