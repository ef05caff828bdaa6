using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes;

/// <summary>Two integers of a code word, 16 bits apart, as halves: <c>step * integer + zero</c>.</summary>
/// <remarks>
/// The integer is or-ed into the fraction of 1024, where a half's unit is 1; subtracting 1024 is exact. Three instructions for two dimensions.
/// </remarks>
internal static class CodeWord
{
    private const uint Thousand = 0x64006400;
    private const uint MinusThousand = 0xE400E400;

    /// <summary>Bytes 0 and 2.</summary>
    internal static uint Bytes(uint word, Half2 step, Half2 zero) => Scaled(word & 0x00ff00ff, step, zero);

    /// <summary>Nibbles 0 and 4.</summary>
    internal static uint Nibbles(uint word, Half2 step, Half2 zero) => Scaled(word & 0x000f000f, step, zero);

    /// <summary>Cells of 3 bits at bits 0 and 16.</summary>
    internal static uint Octals(uint word, Half2 step, Half2 zero) => Scaled(word & 0x00070007, step, zero);

    /// <summary>
    /// The upper four of eight pairs of 3 bits, as the lower four lie in the lane's own word: eight cells are 24 bits, of which the word has 16 of both and the tail, which two
    /// neighbouring lanes share, a byte of both.
    /// </summary>
    internal static uint UpperOctals(uint word, uint tail, int lane) =>
        ((word >> 12) & 0x000f000f) | (Gpu.Bytes.Permute(tail, 0, (lane & 1) == 0 ? 0x4140u : 0x4342u) << 4);

    /// <summary>The same of four words at once.</summary>
    internal static UInt4 UpperOctals(UInt4 words, UInt4 tails, int lane) => new(
        UpperOctals(words.X, tails.X, lane), UpperOctals(words.Y, tails.Y, lane), UpperOctals(words.Z, tails.Z, lane), UpperOctals(words.W, tails.W, lane));

    /// <summary>2-bit cells 0 and 8.</summary>
    internal static uint Crumbs(uint word, Half2 step, Half2 zero) => Scaled(word & 0x00030003, step, zero);

    /// <summary>The cells under a mask, scaled by a (step, zero) pair.</summary>
    internal static uint Masked(uint word, uint mask, uint scale) =>
        Scaled(word & mask, new Half2(Gpu.Bytes.Permute(scale, scale, 0x1010)), new Half2(Gpu.Bytes.Permute(scale, scale, 0x3232)));

    /// <summary>The cells under a mask less an integer: minus (1024 + it) is given, as a pair.</summary>
    internal static uint Offset(uint word, uint mask, uint minusOffset) => (new Half2((word & mask) | Thousand) + new Half2(minusOffset)).Bits;

    private static uint Scaled(uint integers, Half2 step, Half2 zero) =>
        Half2.FusedMultiplyAdd(new Half2(integers | Thousand) + new Half2(MinusThousand), step, zero).Bits;
}
