using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>Searches a ranking that is never sorted: six bits of the rank at a time, by histograms of the tokens that share the bits found so far.</summary>
internal static class RankSearch
{
    private const int TopShift = 32 + RankedRow.IdBits - RankBins.DigitBits;

    /// <summary>Finds a rank where the run of leading tokens ends that <typeparamref name="TTarget"/> describes: the last of the run is not behind it, the next is.</summary>
    /// <param name="row">The ranking.</param>
    /// <param name="bins">Zeroed before and after.</param>
    /// <param name="last">Tokens behind this rank do not exist.</param>
    /// <param name="parameter">Parameter of the target.</param>
    internal static ulong Find<TTarget>(in RankedRow row, in RankBins bins, ulong last, ulong parameter)
        where TTarget : struct, IRankTarget
    {
        ulong prefix = 0, target = 0;
        var shift = TopShift;
        while (true)
        {
            Fill(row, bins, last, prefix, shift);
            Group.Barrier();
            bins.Fold();
            Group.Barrier();

            // Every warp does the same: two bins a lane, summed up to and including the lane's own.
            var first = Weight<TTarget>(bins, 2 * Warp.LaneIdx);
            var second = Weight<TTarget>(bins, (2 * Warp.LaneIdx) + 1);
            var through = first + second;
            for (var step = 0; step < Unroll.Full(5); step++)
            {
                var below = Warp.ShuffleUp(through, 1 << step);
                if (Warp.LaneIdx >= 1 << step)
                    through += below;
            }

            if (shift == TopShift)
                target = TTarget.Of(Warp.Shuffle(through, 31), parameter);
            var digit = WarpReduce.Sum((through - second < target ? 1 : 0) + (through < target ? 1 : 0));
            target -= Warp.Shuffle((digit & 1) == 0 ? through - second - first : through - second, digit >> 1);
            prefix = (prefix << RankBins.DigitBits) | (uint)digit;
            if (shift == 0 || bins.TokensIn(digit) == 1 || target == Weight<TTarget>(bins, digit))
                return ((prefix + 1) << shift) - 1;
            shift -= RankBins.DigitBits;
        }
    }

    private static ulong Weight<TTarget>(in RankBins bins, int bin)
        where TTarget : struct, IRankTarget => TTarget.Counts ? bins.TokensIn(bin) : bins.MassOf(bin);

    private static void Fill(in RankedRow row, in RankBins bins, ulong last, ulong prefix, int shift)
    {
        var loaded = LocalMemory.Allocate<float>(LogitReads.Count);
        for (var start = Group.IdxX; start < row.Length; start += LogitReads.Count * Group.DimX)
        {
            LogitReads.Load(row.Logits, start, loaded);
            for (var i = 0; i < Unroll.Full(LogitReads.Count); i++)
            {
                var token = start + (i * Group.DimX);
                var distance = row.Distance(loaded[i]);
                // Written so that NaN has no rank.
                if (token >= row.Length || !(distance < RankedRow.Reach))
                    continue;
                var rank = RankedRow.Rank(distance, token);
                if (rank <= last && rank >> (shift + RankBins.DigitBits) == prefix)
                    bins.Add((int)(rank >> shift) & (RankBins.Count - 1), RankedRow.Mass(distance));
            }
        }
    }
}
