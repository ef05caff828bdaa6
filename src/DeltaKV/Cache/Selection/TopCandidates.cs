using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Cache.Selection;

/// <summary>Reduces a few long lists of scores to the ones that share, or exceed, the leading bits of the last selected one, in two launches of the whole device.</summary>
/// <remarks>
/// Every list is cut into 64 slices, one group each. First each adds the leading 11 bits of its scores to the list's histogram (a sum of integers: the order does not matter);
/// then each finds the bucket that the wanted number ends in and lists what is in it or above, in order. What is left, some thousand for scores that differ, is
/// selected from by one group. Reads the scores twice: bound by latency, as one group alone would be by its own bandwidth. Deterministic.
/// </remarks>
internal sealed class TopCandidates : IDisposable
{
    /// <summary>Slices of a list.</summary>
    internal const int Slices = 64;

    /// <summary>Different leading bits.</summary>
    internal const int Buckets = 2048;

    /// <summary>Bits behind the leading ones.</summary>
    internal const int BucketShift = 21;

    /// <summary>Lists beyond which one group for each fills the device as well.</summary>
    internal const int MaxLists = 16;

    private const int Threads = 256;
    private const int PerThread = 8;
    private const int Counts = Slices + 2;

    private readonly int lists;
    private readonly int stride;
    private readonly MemoryBuffer1D<UInt2, Stride1D.Dense> candidates;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> counts;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> histograms;
    private readonly KernelHandle<TopTokensArguments> count;
    private readonly KernelHandle<TopTokensArguments> gather;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="lists">Lists of a launch.</param>
    /// <param name="stride">Entries of a list of scores.</param>
    internal TopCandidates(Accelerator accelerator, int lists, int stride)
    {
        (this.lists, this.stride) = (Math.Min(lists, MaxLists), stride);
        candidates = accelerator.Allocate1D<UInt2>((long)this.lists * stride);
        counts = accelerator.Allocate1D<int>(this.lists * Counts);
        histograms = accelerator.Allocate1D(new int[this.lists * Buckets]);
        count = new KernelHandle<TopTokensArguments>(accelerator, Count);
        gather = new KernelHandle<TopTokensArguments>(accelerator, Gather);
    }

    /// <summary>Bytes of all that.</summary>
    internal static long Bytes(int lists, int stride) => (long)Math.Min(lists, MaxLists) * ((2 * stride) + Counts + Buckets) * sizeof(int);

    /// <summary>Where whoever computes the scores may count their leading bits; empty where lists are too many or too long for candidates.</summary>
    internal ArrayView<int> HistogramsFor(int lists, int scoreStride) => lists > this.lists || scoreStride > stride ? default : histograms.View;

    /// <summary>Finds the candidates of all lists, if they are few enough; the next launch on the stream selects from them.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="arguments">What is selected; its <see cref="TopTokensArguments.Histograms"/> are those of the scores if they are not empty.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="heads">Lists of a row.</param>
    internal bool TryFind(AcceleratorStream stream, ref TopTokensArguments arguments, int rows, int heads)
    {
        var view = HistogramsFor(rows * heads, arguments.ScoreStride);
        if (view.Length == 0)
            return false;
        var isCounted = arguments.Histograms.Length > 0;
        arguments.Candidates = candidates.View;
        arguments.CandidateCounts = counts.View;
        arguments.Histograms = view;
        var config = new KernelConfig(new Index3D(Slices, rows, heads), new Index3D(Threads, 1, 1));
        if (!isCounted)
            count.Launch(stream, config, arguments);
        gather.Launch(stream, config, arguments);
        return true;
    }

    public void Dispose()
    {
        candidates.Dispose();
        counts.Dispose();
        histograms.Dispose();
    }

    /// <summary>In the group that selects: the ends of the slices' candidates, and their number. Leaves the histogram empty for the next launch.</summary>
    internal static int Load(TopTokensArguments arguments, ArrayView<int> ends)
    {
        var list = (Grid.IdxX * Grid.DimY) + Grid.IdxY;
        var histogram = arguments.Histograms.SubView(list * Buckets, Buckets);
        for (var i = Group.IdxX; i < Buckets; i += Group.DimX)
            histogram[i] = 0;
        var own = Group.IdxX < Slices ? arguments.CandidateCounts[(list * Counts) + Group.IdxX] : 0;
        var scan = GroupScan.Exclusive(own);
        if (Group.IdxX < Slices)
            ends[Group.IdxX] = scan.Before + own;
        Group.Barrier();
        return scan.Total;
    }

    /// <summary>The leading bits of the last selected score, and how many of those that have them are selected.</summary>
    internal static UInt2 Floor(TopTokensArguments arguments)
    {
        var list = (Grid.IdxX * Grid.DimY) + Grid.IdxY;
        return new UInt2((uint)arguments.CandidateCounts[(list * Counts) + Slices], (uint)arguments.CandidateCounts[(list * Counts) + Slices + 1]);
    }

    /// <summary>The number of a candidate's token and the bits of its score.</summary>
    internal static UInt2 At(TopTokensArguments arguments, int tokens, ArrayView<int> ends, int item)
    {
        // The first slice that ends behind it.
        var slice = 0;
        for (var half = Slices / 2; half > 0; half >>= 1)
            slice += ends[slice + half - 1] <= item ? half : 0;
        var before = slice == 0 ? 0 : ends[slice - 1];
        var list = (Grid.IdxX * Grid.DimY) + Grid.IdxY;
        return arguments.Candidates[((long)list * arguments.ScoreStride) + (slice * SliceLength(tokens)) + item - before];
    }

    /// <summary>The leading bits of a score.</summary>
    internal static int BucketOf(uint score) => (int)(score >> BucketShift);

    private static int SliceLength(int tokens) => (tokens + Slices - 1) / Slices;

    private static void Count(TopTokensArguments arguments)
    {
        GridDependency.LaunchDependents();
        GridDependency.Wait();
        var row = Grid.IdxY;
        if (arguments.Rows.Positions[row] < 0)
            return;
        var tokens = arguments.TokensOf(arguments.Bounds[arguments.Rows.Sequences[row]]);
        if (tokens <= arguments.Wanted(tokens))
            return;
        var list = (row * Grid.DimZ) + Grid.IdxZ;
        var scores = arguments.Scores.SubView((long)list * arguments.ScoreStride);
        var own = SharedMemory.Allocate<int>(Buckets);
        for (var i = Group.IdxX; i < Buckets; i += Threads)
            own[i] = 0;
        Group.Barrier();
        var end = Math.Min((Grid.IdxX + 1) * SliceLength(tokens), tokens);
        for (var i = (Grid.IdxX * SliceLength(tokens)) + Group.IdxX; i < end; i += Threads)
            Atomic.Add(ref own[BucketOf(scores[i])], 1);
        Group.Barrier();
        for (var i = Group.IdxX; i < Buckets; i += Threads)
        {
            if (own[i] > 0)
                Atomic.Add(ref arguments.Histograms[(list * Buckets) + i], own[i]);
        }
    }

    private static void Gather(TopTokensArguments arguments)
    {
        GridDependency.LaunchDependents();
        GridDependency.Wait();
        var row = Grid.IdxY;
        if (arguments.Rows.Positions[row] < 0)
            return;
        var tokens = arguments.TokensOf(arguments.Bounds[arguments.Rows.Sequences[row]]);
        var wanted = arguments.Wanted(tokens);
        if (tokens <= wanted)
            return;
        var list = (row * Grid.DimZ) + Grid.IdxZ;
        var scores = arguments.Scores.SubView((long)list * arguments.ScoreStride);
        var floor = FindFloor(arguments.Histograms.SubView(list * Buckets, Buckets), wanted);

        var begin = Grid.IdxX * SliceLength(tokens);
        var end = Math.Min(begin + SliceLength(tokens), tokens);
        var target = arguments.Candidates.SubView(((long)list * arguments.ScoreStride) + begin);
        var found = 0;
        for (var start = begin; start < end; start += Threads * PerThread)
        {
            var first = start + (Group.IdxX * PerThread);
            var flags = 0;
            var keys = LocalMemory.Allocate<uint>(PerThread);
            for (var i = 0; i < Unroll.Full(PerThread); i++)
                keys[i] = scores[Math.Min(first + i, end - 1)];
            for (var i = 0; i < Unroll.Full(PerThread); i++)
            {
                if (first + i < end && keys[i] >> BucketShift >= floor.X)
                    flags |= 1 << i;
            }

            var scan = GroupScan.Exclusive(System.Numerics.BitOperations.PopCount((uint)flags));
            var at = found + scan.Before;
            for (var i = 0; i < Unroll.Full(PerThread); i++)
            {
                if ((flags & (1 << i)) != 0)
                    target[at++] = new UInt2((uint)(first + i), keys[i]);
            }

            found += scan.Total;
        }

        if (Group.IdxX == 0)
        {
            arguments.CandidateCounts[(list * Counts) + Grid.IdxX] = found;
            if (Grid.IdxX == 0)
            {
                arguments.CandidateCounts[(list * Counts) + Slices] = (int)floor.X;
                arguments.CandidateCounts[(list * Counts) + Slices + 1] = (int)floor.Y;
            }
        }
    }

    /// <summary>The bucket that the wanted number ends in, from the top, and how many are wanted of it.</summary>
    private static UInt2 FindFloor(ArrayView<int> histogram, int wanted)
    {
        ref var floor = ref SharedMemory.Allocate<UInt2>();
        var counts = LocalMemory.Allocate<int>(Buckets / Threads);
        var own = 0;
        var first = Buckets - 1 - (Group.IdxX * (Buckets / Threads));
        for (var i = 0; i < Unroll.Full(Buckets / Threads); i++)
        {
            counts[i] = histogram[first - i];
            own += counts[i];
        }

        var before = GroupScan.Exclusive(own).Before;
        for (var i = 0; i < Unroll.Full(Buckets / Threads); i++)
        {
            if (before < wanted && wanted <= before + counts[i])
                floor = new UInt2((uint)(first - i), (uint)(wanted - before));
            before += counts[i];
        }

        Group.Barrier();
        return floor;
    }
}
