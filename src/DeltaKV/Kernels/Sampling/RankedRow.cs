using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>One row of logits as a ranking: every token has a 54-bit rank, the most likely first, the lower id first among equals.</summary>
/// <remarks>
/// The upper 32 bits say how far the token is below the most likely one: in bits of probability, <c>log2(p_max / p)</c>, in steps of
/// <see cref="KeyUnit"/>. What is <see cref="Reach"/> bits below or more cannot be drawn and has no rank.
/// </remarks>
internal readonly struct RankedRow(ArrayView<float> logits, float largest, float scale)
{
    /// <summary>Bits of the token id in a rank.</summary>
    internal const int IdBits = 22;

    /// <summary>Distances up to here are ranked.</summary>
    internal const float Reach = 64f;

    /// <summary>Steps per bit of distance: 2^26, so that the first six bits of a rank are whole bits of distance.</summary>
    internal const float KeyUnit = 1 << 26;

    /// <summary>A probability as an integer, so that sums do not depend on the order of addition: the most likely token has this much.</summary>
    internal const float WholeMass = 1L << 40;

    internal readonly ArrayView<float> Logits = logits;
    private readonly float largest = largest;
    private readonly float scale = scale;

    /// <summary>The last rank of all.</summary>
    internal static ulong LastRank => (1UL << (32 + IdBits)) - 1;

    internal int Length => Logits.IntLength;

    /// <summary>How many bits a token with that logit is less likely than the most likely one; NaN has no distance.</summary>
    internal float Distance(float logit) => (largest - logit) * scale;

    internal static ulong Rank(float distance, int token) => ((ulong)(uint)(distance * KeyUnit) << IdBits) | (uint)token;

    /// <summary>The last rank at that distance key.</summary>
    internal static ulong LastRankOf(uint key) => ((ulong)key << IdBits) | ((1UL << IdBits) - 1);

    internal static ulong Mass(float distance) => (ulong)(FastMath.Ex2(-distance) * WholeMass);
}
