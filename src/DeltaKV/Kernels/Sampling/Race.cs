using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>A draw as a race: token i arrives at a time that is exponentially distributed with rate p_i; it is the first with probability p_i / sum p.</summary>
/// <remarks>
/// The time is <c>-ln(1 - v) / p</c> for a uniform v; the first is the one with the largest <c>log2 p - log2(-ln(1 - v))</c>. Known as the Gumbel-max
/// trick: Gumbel, Statistical theory of extreme values, 1954.
/// </remarks>
internal static class Race
{
    /// <summary><c>-log2(-ln(1 - v))</c> of 32 random bits: what a token is ahead of its probability, in bits.</summary>
    internal static float Lead(uint bits)
    {
        // Never 1, which would not arrive at all.
        var v = MathF.Min((bits + 0.5f) * (1f / (1L << 32)), 1f - (1f / (1 << 24)));
        // 1 - v would lose the small v, and it is they that win.
        var time = v < 1f / 32
            ? v * (1f + (v * ((1f / 2) + (v * ((1f / 3) + (v * ((1f / 4) + (v * (1f / 5)))))))))
            : FastMath.Lg2(1f - v) * -0.6931471805599453f;
        return -FastMath.Lg2(time);
    }
}
