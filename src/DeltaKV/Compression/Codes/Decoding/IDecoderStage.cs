namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>What a layer of a decoder does with its sums, as compile-time constants.</summary>
internal interface IDecoderStage
{
    /// <summary>Whether a result is <c>silu(gate) * up</c> of two rows of the weight.</summary>
    static abstract bool Gates { get; }

    /// <summary>Whether it is <c>gelu</c> of one; otherwise the sum itself, without a bias.</summary>
    static abstract bool Bends { get; }
}
