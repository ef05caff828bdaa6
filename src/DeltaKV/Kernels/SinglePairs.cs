using DeltaKV.Gpu;

namespace DeltaKV.Kernels;

/// <summary>Pairs of fp32 elements.</summary>
internal readonly struct SinglePairs : IPairs<Float2>
{
    /// <inheritdoc/>
    public static float First(Float2 pair) => pair.X;

    /// <inheritdoc/>
    public static float Second(Float2 pair) => pair.Y;

    /// <inheritdoc/>
    public static Float2 Pack(float first, float second) => new(first, second);
}
