using DeltaKV.Gpu;

namespace DeltaKV.Kernels;

/// <summary>Eight neighbouring numbers of bf16 as halves, whose digits products with codes need.</summary>
internal static class HalfEights
{
    internal static UInt4 Of(UInt4 numbers) => new(Pair(numbers.X), Pair(numbers.Y), Pair(numbers.Z), Pair(numbers.W));

    private static uint Pair(uint pair) => Half2.FromSingles(new BFloat16x2(pair).Low, new BFloat16x2(pair).High).Bits;
}
