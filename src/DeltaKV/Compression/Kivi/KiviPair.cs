using DeltaKV.Gpu;

namespace DeltaKV.Compression.Kivi;

/// <summary>Two neighbouring numbers in a word: bf16 where they are the model's, halves where their channels are mixed, which lose less.</summary>
internal static class KiviPair
{
    internal static Float2 Widen(uint pair, bool isHalf) =>
        isHalf ? new Float2(new Half2(pair).Low, new Half2(pair).High) : new Float2(new BFloat16x2(pair).Low, new BFloat16x2(pair).High);

    internal static uint Round(float low, float high, bool isHalf) =>
        isHalf ? Half2.FromSingles(low, high).Bits : BFloat16x2.FromSingles(low, high).Bits;
}
