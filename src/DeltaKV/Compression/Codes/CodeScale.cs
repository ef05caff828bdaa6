using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes;

/// <summary>A (step, zero) pair of halves in a word: <c>value = step * integer + zero</c>.</summary>
internal static class CodeScale
{
    /// <summary>The pair that spans a range with so many levels above zero.</summary>
    internal static uint Pack(float low, float high, int levels) => Half2.FromSingles((high - low) / levels, low).Bits;

    /// <summary>The nearest integer.</summary>
    internal static uint Quantise(float value, uint scale, int levels)
    {
        var pair = new Half2(scale);
        // A range too small for a half's step is its zero.
        var inverse = pair.Low > 0f ? 1f / pair.Low : 0f;
        return Nearest((value - pair.High) * inverse, levels);
    }

    /// <summary>The nearest integer in 0 to <paramref name="levels"/>.</summary>
    internal static uint Nearest(float value, int levels) => (uint)(int)MathF.Max(0f, MathF.Min(MathF.Round(value), levels));
}
