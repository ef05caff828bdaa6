using DeltaKV.Engine;
using DeltaKV.Kernels.Sampling;

namespace DeltaKV.Model;

/// <summary>Sampling options in the kernel's terms.</summary>
internal static class SamplingRows
{
    /// <summary>The row for the token at <paramref name="position"/>; bias and penalties still need their tables.</summary>
    internal static SamplingRow Create(SamplingOptions options, long seed, int position) => new()
    {
        // A temperature below the smallest normal number is as good as none; infinity times zero would not be a distance.
        Scale = options.IsGreedy ? 0f : Math.Min(MathF.Log2(MathF.E) / options.Temperature, float.MaxValue),
        TopK = options.TopK,
        TopP = options.TopP < 1 ? (uint)Math.Ceiling(Math.Min(options.TopP * Math.Pow(2, 32), uint.MaxValue)) : 0,
        MaxKey = MaxKey(options.MinP),
        Seed = (ulong)seed,
        Position = position,
        NewToken = -1,
        BiasCount = options.LogitBias.Count,
        Penalizes = options.HasPenalties ? 1 : 0,
        RepetitionPenalty = options.RepetitionPenalty,
        PresencePenalty = options.PresencePenalty,
        FrequencyPenalty = options.FrequencyPenalty,
    };

    /// <summary>Whether the row needs nothing but the most likely token.</summary>
    internal static bool IsPlain(SamplingOptions options) => options.IsGreedy && !options.HasPenalties && options.LogitBias.IsEmpty;

    private static uint MaxKey(float minP) =>
        minP == 0 ? uint.MaxValue : (uint)Math.Min(-Math.Log2(minP) * RankedRow.KeyUnit, uint.MaxValue);
}
