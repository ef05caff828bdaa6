namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>A hidden layer's activation as a compile-time constant.</summary>
internal interface IFeatureKind
{
    /// <summary>Whether a feature is <c>silu(gate) * up</c> of two rows of the weight; otherwise it is <c>gelu</c> of one.</summary>
    static abstract bool Gates { get; }
}
