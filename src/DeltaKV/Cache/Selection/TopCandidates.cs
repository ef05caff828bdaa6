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

    /// <summary>Lists beyond which one group for each fills the device as well.</summary>
    internal const int MaxLists = 16;

    private const int Threads = 256;
    private const int PerThread = 8;
    private const int Buckets = 2048;
    private const int BucketShift = 21;

    private readonly int lists;
    private readonly int stride;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> candidates;
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
        candidates = accelerator.Allocate1D<int>((long)this.lists * stride);
        counts = accelerator.Allocate1D<int>(this.lists * Slices);
        histograms = accelerator.Allocate1D(new int[this.lists * Buckets]);
        count = new KernelHandle<TopTokensArguments>(accelerator, Count);
        gather = new KernelHandle<TopTokensArguments>(accelerator, Gather);
    }

    /// <summary>Bytes of all that.</summary>
    internal static long Bytes(int lists, int stride) => (long)Math.Min(lists, MaxLists) * (stride + Slices + Buckets) * sizeof(int);

    /// <summary>Finds the candidates of all lists, if they are few enough; the next launch on the stream selects from them.</summary>
    internal bool TryFind(AcceleratorStream stream, ref TopTokensArguments arguments, int rows, int heads)
    {
        if (rows * heads > lists || arguments.ScoreStride > stride)
            return false;
        arguments.Candidates = candidates.View;
        arguments.CandidateCounts = counts.View;
        arguments.Histograms = histograms.View;
        var config = new KernelConfig(new Index3D(Slices, rows, heads), new Index3D(Threads, 1, 1));
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
        var own = Group.IdxX < Slices ? arguments.CandidateCounts[(list * Slices) + Group.IdxX] : 0;
        var scan = GroupScan.Exclusive(own);
        if (Group.IdxX < Slices)
            ends[Group.IdxX] = scan.Before + own;
        Group.Barrier();
        return scan.Total;
    }

    /// <summary>The number of a candidate's token.</summary>
    internal static int At(TopTokensArguments arguments, int tokens, ArrayView<int> ends, int item)
    {
        // The first slice that ends behind it.
        var slice = 0;
        for (var half = Slices / 2; half > 0; half >>= 1)
            slice += ends[slice + half - 1] <= item ? half : 0;
        var before = slice == 0 ? 0 : ends[slice - 1];
        var list = (Grid.IdxX * Grid.DimY) + Grid.IdxY;
        return arguments.Candidates[((long)list * arguments.ScoreStride) + (slice * SliceLength(tokens)) + item - before];
    }

    private static int SliceLength(int tokens) => (tokens + Slices - 1) / Slices;

    private static void Count(TopTokensArguments arguments)
    {
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
            Atomic.Add(ref own[(int)(scores[i] >> BucketShift)], 1);
        Group.Barrier();
        for (var i = Group.IdxX; i < Buckets; i += Threads)
        {
            if (own[i] > 0)
                Atomic.Add(ref arguments.Histograms[(list * Buckets) + i], own[i]);
        }
    }

    private static void Gather(TopTokensArguments arguments)
    {
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
        var floor = Floor(arguments.Histograms.SubView(list * Buckets, Buckets), wanted);

        var begin = Grid.IdxX * SliceLength(tokens);
        var end = Math.Min(begin + SliceLength(tokens), tokens);
        var target = arguments.Candidates.SubView(((long)list * arguments.ScoreStride) + begin);
        var found = 0;
        for (var start = begin; start < end; start += Threads * PerThread)
        {
            var first = start + (Group.IdxX * PerThread);
            var flags = 0;
            for (var i = 0; i < Unroll.Full(PerThread); i++)
            {
                if (first + i < end && scores[first + i] >> BucketShift >= floor)
                    flags |= 1 << i;
            }

            var scan = GroupScan.Exclusive(System.Numerics.BitOperations.PopCount((uint)flags));
            var at = found + scan.Before;
            for (var i = 0; i < Unroll.Full(PerThread); i++)
            {
                if ((flags & (1 << i)) != 0)
                    target[at++] = first + i;
            }

            found += scan.Total;
        }

        if (Group.IdxX == 0)
            arguments.CandidateCounts[(list * Slices) + Grid.IdxX] = found;
    }

    /// <summary>The bucket that the wanted number ends in, from the top.</summary>
    private static uint Floor(ArrayView<int> histogram, int wanted)
    {
        ref var floor = ref SharedMemory.Allocate<uint>();
        var own = 0;
        var first = Buckets - 1 - (Group.IdxX * (Buckets / Threads));
        for (var i = 0; i < Unroll.Full(Buckets / Threads); i++)
            own += histogram[first - i];
        var before = GroupScan.Exclusive(own).Before;
        if (before < wanted && wanted <= before + own)
        {
            var bucket = first;
            for (before += histogram[bucket]; before < wanted; before += histogram[bucket])
                bucket--;
            floor = (uint)bucket;
        }

        Group.Barrier();
        return floor;
    }
}
