using DeltaKV.Gpu;

namespace DeltaKV.Kernels;

/// <summary>Pairs of bf16 elements.</summary>
internal readonly struct BFloat16Pairs : IPairs<BFloat16x2>
{
    /// <inheritdoc/>
    public static float First(BFloat16x2 pair) => pair.Low;

    /// <inheritdoc/>
    public static float Second(BFloat16x2 pair) => pair.High;

    /// <inheritdoc/>
    public static BFloat16x2 Pack(float first, float second) => BFloat16x2.FromSingles(first, second);
}
