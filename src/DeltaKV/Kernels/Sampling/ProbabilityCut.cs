using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>Searches the weight from which on tokens are kept so that their number, or their probability, reaches a target; one group works together.</summary>
/// <remarks>The interval of possible weights is quartered in every pass over the row. It ends early once at most one token is left inside.</remarks>
internal static class ProbabilityCut
{
    /// <summary>What is summed over the kept tokens.</summary>
    internal interface IMeasure
    {
        /// <summary>Whether it is the weight, rather than 1.</summary>
        static abstract bool IsMass { get; }
    }

    /// <summary>The largest cut, at least <paramref name="lowest"/>, whose tokens reach <paramref name="target"/>; the lowest if none does.</summary>
    internal static uint Find<TMeasure>(ArrayView<uint> weights, uint lowest, ulong target)
        where TMeasure : struct, IMeasure
    {
        // Tokens from `low` on reach the target, tokens from `high` on do not.
        var low = lowest;
        var high = (1u << 31) + 1;
        var atLow = Sum<TMeasure>(weights, low);
        var atHigh = 0ul;
        while (high - low > 1 && atLow - atHigh >= (TMeasure.IsMass ? 2ul * low : 2ul))
        {
            var quarter = Math.Max(1u, (high - low) >> 2);
            var first = low + quarter;
            var second = Math.Min(high - 1, first + quarter);
            var third = Math.Min(high - 1, second + quarter);
            var sums = Sums<TMeasure>(weights, first, second, third);
            if (sums.Third >= target)
                (low, atLow) = (third, sums.Third);
            else if (sums.Second >= target)
                (low, atLow, high, atHigh) = (second, sums.Second, third, sums.Third);
            else if (sums.First >= target)
                (low, atLow, high, atHigh) = (first, sums.First, second, sums.Second);
            else
                (high, atHigh) = (first, sums.First);
        }

        return low;
    }

    /// <summary>The sum over tokens from a cut on.</summary>
    internal static ulong Sum<TMeasure>(ArrayView<uint> weights, uint cut)
        where TMeasure : struct, IMeasure => Sums<TMeasure>(weights, cut, cut, cut).First;

    private static Three Sums<TMeasure>(ArrayView<uint> weights, uint first, uint second, uint third)
        where TMeasure : struct, IMeasure
    {
        Three sums = default;
        for (var i = Group.IdxX; i < weights.IntLength; i += Group.DimX)
        {
            var weight = weights[i];
            var amount = TMeasure.IsMass ? weight : 1ul;
            sums.First += weight >= first ? amount : 0;
            sums.Second += weight >= second ? amount : 0;
            sums.Third += weight >= third ? amount : 0;
        }

        var partial = SharedMemory.Allocate<Three>(32);
        sums = WarpSum(sums);
        if (Warp.IsFirstLane)
            partial[Group.IdxX >> 5] = sums;
        Group.Barrier();
        sums = default;
        if (Warp.LaneIdx < Group.DimX >> 5)
            sums = partial[Warp.LaneIdx];
        sums = WarpSum(sums);
        Group.Barrier();
        return sums;
    }

    private static Three WarpSum(Three sums)
    {
        for (var i = 0; i < Unroll.Full(5); i++)
        {
            sums.First += Warp.ShuffleXor(sums.First, 1 << i);
            sums.Second += Warp.ShuffleXor(sums.Second, 1 << i);
            sums.Third += Warp.ShuffleXor(sums.Third, 1 << i);
        }

        return sums;
    }

    /// <summary>Counts tokens.</summary>
    internal readonly struct Count : IMeasure
    {
        public static bool IsMass => false;
    }

    /// <summary>Adds weights.</summary>
    internal readonly struct Mass : IMeasure
    {
        public static bool IsMass => true;
    }

    private struct Three
    {
        public ulong First;
        public ulong Second;
        public ulong Third;
    }
}
