namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>What a layer of a network does with its sums, as compile-time constants.</summary>
internal interface IFeatureKind
{
    /// <summary>Whether a result is <c>silu(gate) * up</c> of two rows of the weight.</summary>
    static abstract bool Gates { get; }

    /// <summary>Whether it is <c>gelu</c> of one; otherwise, in a last layer, the sum itself, without a bias.</summary>
    static abstract bool Bends { get; }
}
