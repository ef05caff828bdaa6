namespace DeltaKV.Compression.Kivi;

/// <summary>
/// How KIVI quantises a layer: keys (after RoPE) per channel over 32 tokens, values per token over 32 channels, each group with a step and a zero of its own. Blocks of 32 tokens.
/// </summary>
/// <remarks>
/// A block of a layer is <c>[keyHead][key codes | key steps | key zeros | value codes | value steps | value zeros]</c>; the order within each is that of tensor-core fragments, see
/// <see cref="KiviLayout"/>. Source: Liu et al., KIVI, ICML 2024.
/// </remarks>
internal sealed record KiviCode
{
    /// <summary>Tokens that share the steps of their keys; channels that share the step of their values.</summary>
    internal const int GroupSize = 32;

    /// <param name="keyBits">Bits of a key element: 8, 4 or 2.</param>
    /// <param name="valueBits">Bits of a value element: 8, 4 or 2.</param>
    /// <param name="isRotated">Whether the channels of a head are mixed first, see <see cref="KiviRotation"/>.</param>
    internal KiviCode(int keyBits, int valueBits, bool isRotated = false)
    {
        if (keyBits is not (8 or 4 or 2) || valueBits is not (8 or 4 or 2))
            throw new ArgumentException($"KIVI stores keys and values in 8, 4 or 2 bits, not in {keyBits} and {valueBits}.");
        (KeyBits, ValueBits, IsRotated) = (keyBits, valueBits, isRotated);
    }

    /// <summary>Bits of a key element.</summary>
    internal int KeyBits { get; }

    /// <summary>Bits of a value element.</summary>
    internal int ValueBits { get; }

    /// <summary>Whether the channels of a head are mixed first.</summary>
    internal bool IsRotated { get; }

    /// <summary>Bytes of a block of one head: codes, and (step, zero) pairs of halves, one per channel for keys, one per token and 32 channels for values.</summary>
    internal int HeadBytes(int headDim) => (GroupSize * headDim * (KeyBits + ValueBits) / 8) + (8 * headDim);
}
