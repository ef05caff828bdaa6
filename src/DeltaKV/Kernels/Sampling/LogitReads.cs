using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>Reads of a row several at a time: a single group must keep many under way to be fast.</summary>
internal static class LogitReads
{
    /// <summary>Reads under way per thread.</summary>
    internal const int Count = 8;

    /// <summary>Reads the logits at <paramref name="start"/> and every group size further; beyond the row, its last one.</summary>
    internal static void Load(ArrayView<float> logits, int start, ArrayView<float> loaded)
    {
        for (var i = 0; i < Unroll.Full(Count); i++)
            loaded[i] = logits[Token(logits, start, i)];
    }

    /// <summary>The token that the read of that number is of.</summary>
    internal static int Token(ArrayView<float> logits, int start, int read) => Math.Min(start + (read * Group.DimX), logits.IntLength - 1);
}
