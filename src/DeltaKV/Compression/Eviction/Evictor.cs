using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Eviction.Kept;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>
/// Runs evictions on the device, one layer of one sequence after another: the tokens that stay are listed, and copied or coded. No host sync.
/// </summary>
internal sealed class Evictor : IDisposable
{
    private readonly EvictionFormat format;
    private readonly EvictionMemory memory;
    private readonly EvictionTables tables;
    private readonly KeptStore? kept;
    private readonly CompactKernel compact;
    private readonly TokenRanking ranking;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> blocks;
    private readonly MemoryBuffer1D<ReadBounds, Stride1D.Dense> bounds;
    private readonly PageLockedArray1D<int> blockStaging;
    private readonly PageLockedArray1D<ReadBounds> boundStaging;

    internal Evictor(Accelerator accelerator, EvictionFormat format, KvLimits limits, EvictionMemory memory, EvictionTables tables, TokenRanking ranking, KeptStore? kept)
    {
        (this.format, this.memory, this.tables, this.ranking, this.kept) = (format, memory, tables, ranking, kept);
        compact = new CompactKernel(accelerator);
        var jobs = limits.Sequences * format.LayerCount;
        blockStaging = accelerator.AllocatePageLocked1D<int>((long)jobs * JobEntries(format, limits.SequenceTokens));
        blocks = accelerator.Allocate1D<int>(blockStaging.Length);
        boundStaging = accelerator.AllocatePageLocked1D<ReadBounds>((long)jobs * ranking.Heads);
        bounds = accelerator.Allocate1D<ReadBounds>(boundStaging.Length);
    }

    /// <summary>Bytes of a working set of this size.</summary>
    internal static long Bytes(EvictionFormat format, KvLimits limits)
    {
        long jobs = (long)limits.Sequences * format.LayerCount;
        return sizeof(int) * ((jobs * JobEntries(format, limits.SequenceTokens)) + (2 * jobs * TokenRanking.HeadsOf(format)));
    }

    /// <summary>Evicts.</summary>
    internal void Run(AcceleratorStream stream, IReadOnlyList<EvictionJob> jobs)
    {
        var used = 0;
        for (var i = 0; i < jobs.Count; i++)
        {
            jobs[i].Blocks.CopyTo(blockStaging.Span[used..]);
            used += jobs[i].Blocks.Length;
            if (format.Kept is not null)
                used += KeptTables.Fill(format.Kept, jobs[i].Layer, jobs[i].Codes, blockStaging.Span[used..]);
            boundStaging.Span.Slice(i * ranking.Heads, ranking.Heads).Fill(new ReadBounds(jobs[i].Start, jobs[i].Length));
        }

        blocks.View.BaseView.CopyFromPageLockedAsync(stream, blockStaging, used);
        bounds.View.BaseView.CopyFromPageLockedAsync(stream, boundStaging, (long)jobs.Count * ranking.Heads);
        used = 0;
        for (var i = 0; i < jobs.Count; i++)
        {
            var job = jobs[i];
            var codes = job.Codes.Length * (format.Kept is null ? 0 : KeptTables.PartsOf(format.Kept, job.Layer));
            var jobBlocks = blocks.View.BaseView.SubView(used, job.Blocks.Length);
            used += job.Blocks.Length;
            Run(stream, job, bounds.View.BaseView.SubView((long)i * ranking.Heads, ranking.Heads), jobBlocks, blocks.View.BaseView.SubView(used, codes));
            used += codes;
        }
    }

    public void Dispose()
    {
        blocks.Dispose();
        bounds.Dispose();
        blockStaging.Dispose();
        boundStaging.Dispose();
    }

    private void Run(AcceleratorStream stream, EvictionJob job, ArrayView<ReadBounds> jobBounds, ArrayView<int> rawBlocks, ArrayView<int> codedBlocks)
    {
        var source = job.Before.HasCodes ? kept!.Reconstruct(stream, job) : tables.Raw(memory, job.Layer, job.Row);
        var positions = kept is null
            ? default
            : kept.FindPositions(stream, job.Layer, job.Row, job.Start, job.Length, job.Before.MovedEnd, new ReadBounds(job.Before.CodedStart, job.Before.CodedEnd));
        ranking.Choose(stream, job, source, jobBounds);

        // First and newest tokens stay raw, or all do.
        var after = job.After;
        var first = after.HasCodes ? after.CodedStart - job.NewStart : job.Keep;
        Move(stream, job, source, positions, rawBlocks, 0, first);
        if (!after.HasCodes)
            return;
        Move(stream, job, source, positions, rawBlocks, after.CodedEnd - job.NewStart, job.Length - after.CodedEnd);
        if (!job.IsInPlace)
        {
            kept!.Code(
                stream,
                job.Layer,
                new KeptSource(source, ranking.Lists.SubView(first), ranking.ListStride, positions, job.Start),
                new KeptTarget(codedBlocks, 0, after.CodedEnd - after.CodedStart, after.CodedStart));
        }
    }

    /// <summary>Copies so many of the tokens that stay, from one on, to their raw blocks.</summary>
    private void Move(
        AcceleratorStream stream, EvictionJob job, KvBlocks<BFloat16> source, ArrayView<int> positions, ArrayView<int> rawBlocks, int first, int count)
    {
        if (count == 0)
            return;
        compact.Launch(stream, new CompactKernel.Arguments
        {
            Source = new KvBlocks<UInt4>(source.Keys.Cast<UInt4>(), source.Values.Cast<UInt4>(), source.Tables, 0),
            Keys = memory.Keys.Cast<UInt4>(),
            Values = memory.Values.Cast<UInt4>(),
            Marks = memory.Marks,
            Positions = memory.Positions,
            SourcePositions = positions,
            FirstPosition = job.Start,
            Blocks = rawBlocks,
            Lists = ranking.Lists,
            ListStride = ranking.ListStride,
            NewStart = job.NewStart,
            First = first,
            Count = count,
            KeyHeads = format.Shape.KeyHeads,
            Pieces = format.Shape.HeadDim / 8,
        });
    }

    /// <summary>Block numbers of a job at most.</summary>
    private static int JobEntries(EvictionFormat format, int maxTokens) =>
        EvictionFormat.Blocks(maxTokens) + (format.Kept is null ? 0 : CodedKvFormat.Blocks(maxTokens, CodedKvFormat.BlockTokens));
}
