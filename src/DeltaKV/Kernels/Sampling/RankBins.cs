using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>A histogram of 64 bins in shared memory: how many tokens and how much probability each holds.</summary>
/// <remarks>
/// Every bin has a copy per lane, so that the lanes of a warp never add to one address however alike the tokens are. Sums are integers: they do
/// not depend on the order of addition. A probability is added as two words, because shared memory adds 32 bits natively and 64 bits in a loop.
/// </remarks>
internal readonly struct RankBins(ArrayView<uint> counts, ArrayView<uint> lows, ArrayView<uint> highs, ArrayView<ulong> masses, ArrayView<uint> sums)
{
    internal const int DigitBits = 6;
    internal const int Count = 1 << DigitBits;
    internal const int Words = Count * 32;

    private readonly ArrayView<uint> counts = counts;
    private readonly ArrayView<uint> lows = lows;
    private readonly ArrayView<uint> highs = highs;
    private readonly ArrayView<ulong> masses = masses;
    private readonly ArrayView<uint> sums = sums;

    /// <summary>Zeroes all copies; a barrier must follow.</summary>
    internal void Clear()
    {
        for (var i = Group.IdxX; i < Words; i += Group.DimX)
            counts[i] = lows[i] = highs[i] = 0;
    }

    /// <summary>Counts a token.</summary>
    internal void Add(int bin, ulong mass)
    {
        var at = (bin * 32) + Warp.LaneIdx;
        Atomic.Add(ref counts[at], 1u);
        var low = (uint)mass;
        var before = Atomic.Add(ref lows[at], low);
        var high = (uint)(mass >> 32) + (before > ~low ? 1u : 0u);
        if (high != 0)
            Atomic.Add(ref highs[at], high);
    }

    /// <summary>Sums the copies and zeroes them. Between barriers.</summary>
    internal void Fold()
    {
        for (var bin = Group.IdxX / 32; bin < Count; bin += Group.DimX / 32)
        {
            var at = (bin * 32) + Warp.LaneIdx;
            var count = WarpReduce.Sum((int)counts[at]);
            var mass = ((ulong)highs[at] << 32) + lows[at];
            for (var step = 0; step < Unroll.Full(5); step++)
                mass += Warp.ShuffleXor(mass, 16 >> step);
            counts[at] = lows[at] = highs[at] = 0;
            if (Warp.IsFirstLane)
            {
                masses[bin] = mass;
                sums[bin] = (uint)count;
            }
        }
    }

    /// <summary>Tokens in a folded bin.</summary>
    internal uint TokensIn(int bin) => sums[bin];

    /// <summary>Probability in a folded bin.</summary>
    internal ulong MassOf(int bin) => masses[bin];
}
