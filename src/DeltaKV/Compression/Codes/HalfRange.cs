using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes;

/// <summary>Rounding to halves that never gives an infinity.</summary>
internal static class HalfRange
{
    private const float Largest = 65504f;

    internal static uint Pack(float low, float high) => Half2.FromSingles(Limit(low), Limit(high)).Bits;

    private static float Limit(float value) => MathF.Max(-Largest, MathF.Min(value, Largest));
}
