using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Selection;

/// <summary>Picks the tokens, or pages of tokens, with the largest scores of every list and writes them in ascending order; of equal scores the earlier one comes first.</summary>
/// <remarks>
/// Shapes: scores <c>[rows, heads, scoreStride]</c> fp32, not negative, or keys that order like their bits; lists <c>[sequences, heads, listStride]</c>, counts <c>[sequences, heads]</c>. One group per list: a radix select over the
/// scores' bits, eight at a time from the top (non-negative floats order like their bits), then an ordered compaction by a scan over the group. A few long lists are first reduced
/// to candidates by the whole device (<see cref="TopCandidates"/>). A list with no more
/// tokens than its budget gets the count -1: read all. Reads the scores five times from L2: some 100 us for 128k tokens without candidates. Deterministic.
/// </remarks>
internal sealed class TopTokensKernel(Accelerator accelerator, TopCandidates? candidates = null)
{
    private const int Threads = 1024;

    // Scores that a thread has in flight: one group must cover the latency of L2 by itself.
    private const int Unrolled = 8;
    private const int PerThread = 8;
    private const int Buckets = 256;

    private readonly KernelHandle<TopTokensArguments> select = new(accelerator, Kernel<AllTokens>);
    private readonly KernelHandle<TopTokensArguments> selectCandidates = new(accelerator, Kernel<Candidates>);

    /// <summary>The items that are selected from.</summary>
    private interface IItems
    {
        /// <summary>Their number, of that many tokens.</summary>
        static abstract int Count(TopTokensArguments arguments, int count, ArrayView<int> ends);

        /// <summary>The token of an item.</summary>
        static abstract int At(TopTokensArguments arguments, int count, ArrayView<int> ends, int item);
    }

    /// <param name="stream">Where to enqueue.</param>
    /// <param name="rows">Sequence and position of every row.</param>
    /// <param name="bounds">Coded ranges by sequence.</param>
    /// <param name="scores">Scores of coded tokens.</param>
    /// <param name="scoreStride">Entries of a list of them.</param>
    /// <param name="lists">Where positions, or numbers of pages, go.</param>
    /// <param name="listStride">Entries of a list, at least the budget of the longest sequence.</param>
    /// <param name="counts">Where counts go.</param>
    /// <param name="budget">What a list may select.</param>
    /// <param name="rowCount">Rows.</param>
    /// <param name="heads">Lists of a row.</param>
    /// <param name="shift">Binary logarithm of the tokens that an entry stands for; the bounds are multiples of them.</param>
    internal void Launch(
        AcceleratorStream stream,
        TokenRows rows,
        ArrayView<ReadBounds> bounds,
        ArrayView<float> scores,
        int scoreStride,
        ArrayView<int> lists,
        int listStride,
        ArrayView<int> counts,
        SelectionBudget budget,
        int rowCount,
        int heads = 1,
        int shift = 0)
    {
        if (rowCount == 0)
            return;
        var arguments = new TopTokensArguments
        {
            Rows = rows,
            Bounds = bounds,
            Scores = scores.Cast<uint>(),
            ScoreStride = scoreStride,
            Lists = lists,
            ListStride = listStride,
            Counts = counts,
            Items = (budget.Tokens + (1 << shift) - 1) >> shift,
            Share = budget.Share,
            Shift = shift,
        };
        var reduces = candidates is not null && candidates.TryFind(stream, ref arguments, rowCount, heads);
        (reduces ? selectCandidates : select).Launch(stream, new KernelConfig(new Index2D(rowCount, heads), new Index2D(Threads, 1)), arguments);
    }

    private static void Kernel<TItems>(TopTokensArguments arguments)
        where TItems : struct, IItems
    {
        GridDependency.Wait();
        var row = Grid.IdxX;
        // The whole group leaves together.
        if (arguments.Rows.Positions[row] < 0)
            return;
        var sequence = arguments.Rows.Sequences[row];
        var limits = arguments.Bounds[sequence];
        var list = (sequence * Grid.DimY) + Grid.IdxY;
        var tokens = arguments.TokensOf(limits);
        var wanted = arguments.Wanted(tokens);
        if (tokens <= wanted)
        {
            if (Group.IdxX == 0)
                arguments.Counts[list] = -1;
            return;
        }

        var scores = arguments.Scores.SubView((((long)row * Grid.DimY) + Grid.IdxY) * arguments.ScoreStride);
        var ends = SharedMemory.Allocate<int>(TopCandidates.Slices);
        var count = TItems.Count(arguments, tokens, ends);
        var histogram = SharedMemory.Allocate<int>(Buckets);
        ref var found = ref SharedMemory.Allocate<UInt2>();
        // What fits in registers is read once for all passes.
        var keys = LocalMemory.Allocate<uint>(Unrolled);
        var isKept = count <= Threads * Unrolled;
        if (isKept)
            Load<TItems>(arguments, scores, ends, tokens, Group.IdxX, count, keys);
        var prefix = 0u;
        var remaining = wanted;
        for (var shift = 24; shift >= 0; shift -= 8)
        {
            for (var i = Group.IdxX; i < Buckets; i += Threads)
                histogram[i] = 0;
            Group.Barrier();
            for (var first = Group.IdxX; first < count; first += Threads * Unrolled)
            {
                if (!isKept)
                    Load<TItems>(arguments, scores, ends, tokens, first, count, keys);
                CountInto(histogram, keys, first, count, prefix, shift);
            }

            Group.Barrier();
            // From the largest bucket down: the one that the wanted number ends in, and how many are wanted of it.
            var own = Group.IdxX < Buckets ? histogram[Buckets - 1 - Group.IdxX] : 0;
            var before = GroupScan.Exclusive(own).Before;
            if (before < remaining && remaining <= before + own)
                found = new UInt2((uint)(Buckets - 1 - Group.IdxX), (uint)(remaining - before));
            Group.Barrier();
            prefix |= found.X << shift;
            remaining = (int)found.Y;
            Group.Barrier();
        }

        Compact<TItems>(arguments, scores, ends, list, limits.CodedStart >> arguments.Shift, tokens, count, prefix, remaining);
        if (Group.IdxX == 0)
            arguments.Counts[list] = wanted;
    }

    /// <summary>A thread's next scores.</summary>
    private static void Load<TItems>(
        TopTokensArguments arguments, ArrayView<uint> scores, ArrayView<int> ends, int tokens, int first, int count, ArrayView<uint> keys)
        where TItems : struct, IItems
    {
        for (var i = 0; i < Unroll.Full(Unrolled); i++)
            keys[i] = first + (i * Threads) < count ? scores[TItems.At(arguments, tokens, ends, first + (i * Threads))] : 0;
    }

    /// <summary>Counts the next eight bits of a thread's next scores that share the prefix found so far.</summary>
    private static void CountInto(ArrayView<int> histogram, ArrayView<uint> keys, int first, int count, uint prefix, int shift)
    {
        for (var i = 0; i < Unroll.Full(Unrolled); i++)
        {
            // Shifting by 32 is shifting by nothing, so two steps.
            if (first + (i * Threads) < count && (keys[i] >> shift >> 8) == (prefix >> shift >> 8))
                Atomic.Add(ref histogram[(int)((keys[i] >> shift) & 255)], 1);
        }
    }

    /// <summary>Writes the positions of all scores above the threshold and of the first <paramref name="ties"/> equal to it, in order.</summary>
    private static void Compact<TItems>(
        TopTokensArguments arguments, ArrayView<uint> scores, ArrayView<int> ends, int list, int first, int tokens, int count, uint threshold, int ties)
        where TItems : struct, IItems
    {
        var target = arguments.Lists.SubView((long)list * arguments.ListStride);
        var above = 0;
        var equal = 0;
        for (var start = 0; start < count; start += Threads * PerThread)
        {
            var begin = start + (Group.IdxX * PerThread);
            // Numbers above in the low half, equal ones in the high half: neither exceeds 2^15.
            var own = 0;
            var keys = LocalMemory.Allocate<uint>(PerThread);
            var items = LocalMemory.Allocate<int>(PerThread);
            for (var i = 0; i < Unroll.Full(PerThread); i++)
                items[i] = TItems.At(arguments, tokens, ends, Math.Min(begin + i, count - 1));
            for (var i = 0; i < Unroll.Full(PerThread); i++)
                keys[i] = scores[items[i]];
            for (var i = 0; i < Unroll.Full(PerThread); i++)
            {
                if (begin + i < count)
                    own += keys[i] > threshold ? 1 : keys[i] == threshold ? 1 << 16 : 0;
            }

            var scan = GroupScan.Exclusive(own);
            var ownAbove = above + (scan.Before & 0xffff);
            var ownEqual = equal + (scan.Before >> 16);
            for (var i = 0; i < Unroll.Full(PerThread); i++)
            {
                var isAbove = begin + i < count && keys[i] > threshold;
                var isEqual = begin + i < count && keys[i] == threshold;
                if (isAbove || (isEqual && ownEqual < ties))
                    target[ownAbove + Math.Min(ownEqual, ties)] = first + items[i];
                ownAbove += isAbove ? 1 : 0;
                ownEqual += isEqual ? 1 : 0;
            }

            above += scan.Total & 0xffff;
            equal += scan.Total >> 16;
        }
    }

    private readonly struct AllTokens : IItems
    {
        public static int Count(TopTokensArguments arguments, int count, ArrayView<int> ends) => count;

        public static int At(TopTokensArguments arguments, int count, ArrayView<int> ends, int item) => item;
    }

    private readonly struct Candidates : IItems
    {
        public static int Count(TopTokensArguments arguments, int count, ArrayView<int> ends) => TopCandidates.Load(arguments, ends);

        public static int At(TopTokensArguments arguments, int count, ArrayView<int> ends, int item) => TopCandidates.At(arguments, count, ends, item);
    }
}
