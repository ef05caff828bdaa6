using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Selection;

/// <summary>Picks the tokens, or pages of tokens, with the largest scores of every list and writes them in ascending order; of equal scores the earlier one comes first.</summary>
/// <remarks>
/// Shapes: scores <c>[rows, heads, scoreStride]</c> fp32, not negative, or keys that order like their bits; lists <c>[sequences, heads, listStride]</c>, counts <c>[sequences, heads]</c>. One group per list: a radix select over the
/// scores' bits, eleven at a time from the top (non-negative floats order like their bits), then an ordered compaction by a scan over the group. A few long lists are first reduced
/// to candidates by the whole device (<see cref="TopCandidates"/>), which stay in registers. A list with no more
/// tokens than its budget gets the count -1: read all. Reads the scores four times from L2: some 100 us for 128k tokens without candidates. Deterministic.
/// </remarks>
internal sealed class TopTokensKernel(Accelerator accelerator, TopCandidates? candidates = null)
{
    private const int Threads = 1024;

    // Scores that a thread has in flight: one group must cover the latency of L2 by itself.
    private const int PerThread = 8;
    private const int Buckets = TopCandidates.Buckets;

    // The bits are those above, these in the middle, and the rest.
    private const int MiddleShift = 10;

    private readonly KernelHandle<TopTokensArguments> select = new(accelerator, Kernel<AllTokens>);
    private readonly KernelHandle<TopTokensArguments> selectCandidates = new(accelerator, Kernel<Candidates>);

    /// <summary>The items that are selected from.</summary>
    private interface IItems
    {
        /// <summary>Whether the bits above <see cref="TopCandidates.BucketShift"/> are known.</summary>
        static abstract bool HasFloor { get; }

        /// <summary>Their number, of that many tokens.</summary>
        static abstract int Count(TopTokensArguments arguments, int count, ArrayView<int> ends);

        /// <summary>The token of an item and the bits of its score.</summary>
        static abstract UInt2 At(TopTokensArguments arguments, ArrayView<uint> scores, int count, ArrayView<int> ends, int item);
    }

    /// <summary>What a selection takes.</summary>
    /// <param name="rows">Sequence and position of every row.</param>
    /// <param name="bounds">Coded ranges by sequence.</param>
    /// <param name="scores">Scores of coded tokens.</param>
    /// <param name="scoreStride">Entries of a list of them.</param>
    /// <param name="lists">Where positions, or numbers of pages, go.</param>
    /// <param name="listStride">Entries of a list, at least the budget of the longest sequence.</param>
    /// <param name="counts">Where counts go.</param>
    /// <param name="budget">What a list may select.</param>
    /// <param name="shift">Binary logarithm of the tokens that an entry stands for; the bounds are multiples of them.</param>
    internal static TopTokensArguments Arguments(
        TokenRows rows,
        ArrayView<ReadBounds> bounds,
        ArrayView<float> scores,
        int scoreStride,
        ArrayView<int> lists,
        int listStride,
        ArrayView<int> counts,
        SelectionBudget budget,
        int shift = 0) => new()
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

    /// <param name="stream">Where to enqueue.</param>
    /// <param name="arguments">What is selected.</param>
    /// <param name="rowCount">Rows.</param>
    /// <param name="heads">Lists of a row.</param>
    internal void Launch(AcceleratorStream stream, TopTokensArguments arguments, int rowCount, int heads = 1)
    {
        if (rowCount == 0)
            return;
        var reduces = candidates is not null && candidates.TryFind(stream, ref arguments, rowCount, heads);
        (reduces ? selectCandidates : select).Launch(stream, new KernelConfig(new Index2D(rowCount, heads), new Index2D(Threads, 1)), arguments);
    }

    private static void Kernel<TItems>(TopTokensArguments arguments)
        where TItems : struct, IItems
    {
        GridDependency.LaunchDependents();
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
        // The last selected score as far as it is known, and how many are wanted of those that begin so.
        var floor = new UInt2(0, (uint)wanted);
        if (TItems.HasFloor)
        {
            var known = TopCandidates.Floor(arguments);
            floor = new UInt2(known.X << TopCandidates.BucketShift, known.Y);
        }

        // What fits in registers is read once for all passes.
        var items = LocalMemory.Allocate<UInt2>(PerThread);
        var isKept = count <= Threads * PerThread;
        if (isKept)
            Load<TItems>(arguments, scores, ends, tokens, Group.IdxX * PerThread, count, items);
        for (var pass = TItems.HasFloor ? 1 : 0; pass < 3; pass++)
        {
            for (var i = Group.IdxX; i < Buckets; i += Threads)
                histogram[i] = 0;
            Group.Barrier();
            var shift = pass == 0 ? TopCandidates.BucketShift : pass == 1 ? MiddleShift : 0;
            var bits = pass == 2 ? MiddleShift : TopCandidates.BucketShift - MiddleShift;
            for (var start = 0; start < count; start += Threads * PerThread)
            {
                if (!isKept)
                    Load<TItems>(arguments, scores, ends, tokens, start + (Group.IdxX * PerThread), count, items);
                CountInto(histogram, items, start + (Group.IdxX * PerThread), count, floor.X, shift, bits);
            }

            Group.Barrier();
            floor = Narrow(histogram, floor, shift);
        }

        Compact<TItems>(arguments, scores, ends, list, limits.CodedStart >> arguments.Shift, tokens, count, isKept, items, floor.X, (int)floor.Y);
        if (Group.IdxX == 0)
            arguments.Counts[list] = wanted;
    }

    /// <summary>A thread's next items.</summary>
    private static void Load<TItems>(
        TopTokensArguments arguments, ArrayView<uint> scores, ArrayView<int> ends, int tokens, int first, int count, ArrayView<UInt2> items)
        where TItems : struct, IItems
    {
        for (var i = 0; i < Unroll.Full(PerThread); i++)
            items[i] = TItems.At(arguments, scores, tokens, ends, Math.Min(first + i, count - 1));
    }

    /// <summary>Counts the next bits of a thread's items that share the prefix found so far.</summary>
    private static void CountInto(ArrayView<int> histogram, ArrayView<UInt2> items, int first, int count, uint prefix, int shift, int bits)
    {
        for (var i = 0; i < Unroll.Full(PerThread); i++)
        {
            // Shifting by 32 is shifting by nothing, so two steps.
            var key = items[i].Y >> shift;
            if (first + i < count && (key >> bits) == (prefix >> shift >> bits))
                Atomic.Add(ref histogram[(int)(key & ((1u << bits) - 1))], 1);
        }
    }

    /// <summary>From the largest bucket down: the one that the wanted number ends in, and how many are wanted of it.</summary>
    private static UInt2 Narrow(ArrayView<int> histogram, UInt2 floor, int shift)
    {
        ref var found = ref SharedMemory.Allocate<UInt2>();
        var wanted = (int)floor.Y;
        var bucket = Buckets - 1 - (2 * Group.IdxX);
        var upper = histogram[bucket];
        var lower = histogram[bucket - 1];
        var before = GroupScan.Exclusive(upper + lower).Before;
        if (before < wanted && wanted <= before + upper)
            found = new UInt2(floor.X | ((uint)bucket << shift), (uint)(wanted - before));
        else if (before + upper < wanted && wanted <= before + upper + lower)
            found = new UInt2(floor.X | ((uint)(bucket - 1) << shift), (uint)(wanted - before - upper));
        Group.Barrier();
        floor = found;
        Group.Barrier();
        return floor;
    }

    /// <summary>Writes the positions of all scores above the threshold and of the first <paramref name="ties"/> equal to it, in order.</summary>
    private static void Compact<TItems>(
        TopTokensArguments arguments,
        ArrayView<uint> scores,
        ArrayView<int> ends,
        int list,
        int first,
        int tokens,
        int count,
        bool isKept,
        ArrayView<UInt2> items,
        uint threshold,
        int ties)
        where TItems : struct, IItems
    {
        var target = arguments.Lists.SubView((long)list * arguments.ListStride);
        var above = 0;
        var equal = 0;
        for (var start = 0; start < count; start += Threads * PerThread)
        {
            var begin = start + (Group.IdxX * PerThread);
            if (!isKept)
                Load<TItems>(arguments, scores, ends, tokens, begin, count, items);
            // Numbers above in the low half, equal ones in the high half: neither exceeds 2^15.
            var own = 0;
            for (var i = 0; i < Unroll.Full(PerThread); i++)
            {
                if (begin + i < count)
                    own += items[i].Y > threshold ? 1 : items[i].Y == threshold ? 1 << 16 : 0;
            }

            var scan = GroupScan.Exclusive(own);
            var ownAbove = above + (scan.Before & 0xffff);
            var ownEqual = equal + (scan.Before >> 16);
            for (var i = 0; i < Unroll.Full(PerThread); i++)
            {
                var isAbove = begin + i < count && items[i].Y > threshold;
                var isEqual = begin + i < count && items[i].Y == threshold;
                if (isAbove || (isEqual && ownEqual < ties))
                    target[ownAbove + Math.Min(ownEqual, ties)] = first + (int)items[i].X;
                ownAbove += isAbove ? 1 : 0;
                ownEqual += isEqual ? 1 : 0;
            }

            above += scan.Total & 0xffff;
            equal += scan.Total >> 16;
        }
    }

    private readonly struct AllTokens : IItems
    {
        public static bool HasFloor => false;

        public static int Count(TopTokensArguments arguments, int count, ArrayView<int> ends) => count;

        public static UInt2 At(TopTokensArguments arguments, ArrayView<uint> scores, int count, ArrayView<int> ends, int item) => new((uint)item, scores[item]);
    }

    private readonly struct Candidates : IItems
    {
        public static bool HasFloor => true;

        public static int Count(TopTokensArguments arguments, int count, ArrayView<int> ends) => TopCandidates.Load(arguments, ends);

        public static UInt2 At(TopTokensArguments arguments, ArrayView<uint> scores, int count, ArrayView<int> ends, int item) =>
            TopCandidates.At(arguments, count, ends, item);
    }
}
