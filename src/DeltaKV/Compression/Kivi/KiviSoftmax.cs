using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Kivi;

/// <summary>A warp's online softmax over 8 heads, base 2: lane (g, t) keeps heads 2t and 2t + 1.</summary>
internal struct KiviSoftmax
{
    /// <summary>
    /// Weights are relative to the largest score less this, so that they reach 256: as halves, times a step of a value, they keep their digits 8 bits longer.
    /// </summary>
    private const float Headroom = 8f;

    /// <summary>The largest scores so far, less the headroom.</summary>
    public Float2 Largest;

    /// <summary>Sums of this lane's weights.</summary>
    public Float2 Total;

    internal static KiviSoftmax Start() => new() { Largest = new Float2(float.NegativeInfinity, float.NegativeInfinity) };

    /// <summary>Takes in the scores of up to 32 tokens, which become weights; what was summed before turns to the new largest score.</summary>
    internal void Update<THead>(ref Float4 first, ref Float4 second, ArrayView<Float4> sums, ref Float4 zeros)
        where THead : struct, IHead
    {
        var max = Softmax.ColumnMax(new Float2(
            MathF.Max(MathF.Max(first.X, first.Z), MathF.Max(second.X, second.Z)), MathF.Max(MathF.Max(first.Y, first.W), MathF.Max(second.Y, second.W))));
        max = new Float2(MathF.Max(Largest.X, max.X - Headroom), MathF.Max(Largest.Y, max.Y - Headroom));
        var correction = new Float2(FastMath.Ex2(Largest.X - max.X), FastMath.Ex2(Largest.Y - max.Y));
        Largest = max;
        first = Weights(first);
        second = Weights(second);
        Total = new Float2(
            FastMath.Fma(Total.X, correction.X, first.X + first.Z + second.X + second.Z),
            FastMath.Fma(Total.Y, correction.Y, first.Y + first.W + second.Y + second.W));
        for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
            sums[i] = Softmax.ScaleColumns(sums[i], correction);
        zeros = new Float4(zeros.X * correction.X, zeros.Y * correction.Y, 0f, 0f);
    }

    private readonly Float4 Weights(Float4 scores) => new(
        FastMath.Ex2(scores.X - Largest.X), FastMath.Ex2(scores.Y - Largest.Y), FastMath.Ex2(scores.Z - Largest.X), FastMath.Ex2(scores.W - Largest.Y));
}
