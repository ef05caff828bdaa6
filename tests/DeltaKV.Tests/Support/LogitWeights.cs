using DeltaKV.Cache.Selection;

namespace DeltaKV.Tests.Support;

/// <summary>The weights that scores of <see cref="LogitScores"/> are logarithms of.</summary>
internal static class LogitWeights
{
    internal static float[] Of(float[] scores) =>
        [.. scores.Select(score => MathF.Pow(2, (BitConverter.SingleToUInt32Bits(score) / (float)(1 << LogitScores.FractionBits)) - LogitScores.Octaves))];
}
