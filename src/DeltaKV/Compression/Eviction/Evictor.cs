using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Eviction.Kept;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>
/// Runs evictions on the device, one layer of one sequence after another: attention received, ranks, the tokens that stay, and their copies or codes. No host sync.
/// </summary>
internal sealed class Evictor : IDisposable
{
    private readonly EvictionFormat format;
    private readonly EvictionMemory memory;
    private readonly EvictionTables tables;
    private readonly QueryStore queries;
    private readonly KeptStore? kept;
    private readonly AttentionMassKernel mass;
    private readonly RankKernel rank;
    private readonly TopTokensKernel top;
    private readonly CompactKernel compact;
    private readonly int maxTokens;
    private readonly int heads;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> logSumExp;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> headWeights;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> masses;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> ranks;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> lists;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> counts;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> headNumbers;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> blocks;
    private readonly MemoryBuffer1D<ReadBounds, Stride1D.Dense> bounds;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> priorities;
    private readonly PageLockedArray1D<int> blockStaging;
    private readonly PageLockedArray1D<ReadBounds> boundStaging;
    private readonly float[] preferred;

    internal Evictor(Accelerator accelerator, EvictionFormat format, KvLimits limits, EvictionMemory memory, EvictionTables tables, QueryStore queries, KeptStore? kept)
    {
        (this.format, this.memory, this.tables, this.queries, this.kept) = (format, memory, tables, queries, kept);
        maxTokens = limits.SequenceTokens;
        heads = format.Policy.Scoring is null or { SharedByHeads: true } ? 1 : format.Shape.KeyHeads;
        mass = new AttentionMassKernel(accelerator, format.Shape, isMax: format.Probing is not null);
        rank = new RankKernel(accelerator);
        top = new TopTokensKernel(accelerator);
        compact = new CompactKernel(accelerator);
        logSumExp = accelerator.Allocate1D<float>(LogSumExpEntries(format, limits));
        headWeights = accelerator.Allocate1D(Weights(format));
        masses = accelerator.Allocate1D<float>(format.Window > 0 ? (long)format.Shape.KeyHeads * maxTokens : 1);
        ranks = accelerator.Allocate1D<float>((long)heads * maxTokens);
        lists = accelerator.Allocate1D<int>((long)heads * maxTokens);
        counts = accelerator.Allocate1D<int>(heads);
        headNumbers = accelerator.Allocate1D(Enumerable.Range(0, heads).ToArray());
        var jobs = limits.Sequences * format.LayerCount;
        blockStaging = accelerator.AllocatePageLocked1D<int>((long)jobs * JobEntries(format, maxTokens));
        blocks = accelerator.Allocate1D<int>(blockStaging.Length);
        boundStaging = accelerator.AllocatePageLocked1D<ReadBounds>((long)jobs * heads);
        bounds = accelerator.Allocate1D<ReadBounds>(boundStaging.Length);
        priorities = accelerator.Allocate1D<float>(maxTokens);
        preferred = new float[maxTokens];
    }

    /// <summary>Bytes of a working set of this size.</summary>
    internal static long Bytes(EvictionFormat format, KvLimits limits)
    {
        var heads = format.Policy.Scoring is null or { SharedByHeads: true } ? 1 : format.Shape.KeyHeads;
        long jobs = (long)limits.Sequences * format.LayerCount;
        return sizeof(float) * (LogSumExpEntries(format, limits)
            + Weights(format).Length
            + (format.Window > 0 ? (long)format.Shape.KeyHeads * limits.SequenceTokens : 1)
            + (2L * heads * limits.SequenceTokens) + (2L * heads)
            + (jobs * JobEntries(format, limits.SequenceTokens)) + (2 * jobs * heads)
            + limits.SequenceTokens);
    }

    /// <summary>Adds the attention of a step's queries to the marks of all tokens; of a policy that probes, only a probe's.</summary>
    internal void Mark(AcceleratorStream stream, int layer, ArrayView<BFloat16> qkv, TokenRows rows, int decodeRows, IReadOnlyList<PromptRows> prompts)
    {
        var arguments = Arguments(layer, tables.Raw(memory, layer));
        arguments.Queries = qkv.Cast<uint>();
        arguments.QueryStride = format.Shape.QkvWidth / 2;
        arguments.Rows = rows;
        arguments.Marks = memory.Marks;
        if (format.Probing is null)
            mass.LaunchSingle(stream, arguments, decodeRows);
        foreach (var prompt in prompts)
        {
            if (format.Probing is null && prompt.FirstRow < decodeRows)
                continue;
            arguments.FreshFrom = prompt.FreshFrom;
            arguments.Sequence = prompt.Row;
            arguments.FirstRow = prompt.FirstRow;
            arguments.Count = prompt.Count;
            arguments.FirstPosition = prompt.FirstPosition;
            mass.Launch(stream, arguments, prompt.Blocks(layer));
        }
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
            boundStaging.Span.Slice(i * heads, heads).Fill(new ReadBounds(jobs[i].Start, jobs[i].Length));
        }

        blocks.View.BaseView.CopyFromPageLockedAsync(stream, blockStaging, used);
        bounds.View.BaseView.CopyFromPageLockedAsync(stream, boundStaging, (long)jobs.Count * heads);
        used = 0;
        for (var i = 0; i < jobs.Count; i++)
        {
            var job = jobs[i];
            var codes = job.Codes.Length * (format.Kept is null ? 0 : KeptTables.PartsOf(format.Kept, job.Layer));
            var jobBlocks = blocks.View.BaseView.SubView(used, job.Blocks.Length);
            used += job.Blocks.Length;
            Run(stream, job, bounds.View.BaseView.SubView((long)i * heads, heads), jobBlocks, blocks.View.BaseView.SubView(used, codes));
            used += codes;
        }
    }

    public void Dispose()
    {
        logSumExp.Dispose();
        headWeights.Dispose();
        masses.Dispose();
        ranks.Dispose();
        lists.Dispose();
        counts.Dispose();
        headNumbers.Dispose();
        blocks.Dispose();
        bounds.Dispose();
        priorities.Dispose();
        blockStaging.Dispose();
        boundStaging.Dispose();
    }

    private void Run(AcceleratorStream stream, EvictionJob job, ArrayView<ReadBounds> jobBounds, ArrayView<int> rawBlocks, ArrayView<int> codedBlocks)
    {
        var source = job.Before.HasCodes ? kept!.Reconstruct(stream, job) : tables.Raw(memory, job.Layer, job.Row);
        var positions = kept is null
            ? default
            : kept.FindPositions(stream, job.Layer, job.Row, job.Start, job.Length, job.Before.MovedEnd, new ReadBounds(job.Before.CodedStart, job.Before.CodedEnd));
        if (format.Window > 0)
            Measure(stream, job, source);
        Choose(stream, job, source, jobBounds);

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
                new KeptSource(source, lists.View.BaseView.SubView(first), heads == 1 ? 0 : maxTokens, positions, job.Start),
                new KeptTarget(codedBlocks, 0, after.CodedEnd - after.CodedStart, after.CodedStart));
        }
    }

    /// <summary>Lists the tokens that stay.</summary>
    private void Choose(AcceleratorStream stream, EvictionJob job, KvBlocks<BFloat16> source, ArrayView<ReadBounds> jobBounds)
    {
        var policy = format.Policy;
        var sinks = Math.Min(policy.Sinks, job.Keep);
        rank.Launch(
            stream,
            new RankKernel.Arguments
            {
                Mass = format.Window > 0 ? masses.View : default,
                Marks = memory.Marks,
                Table = source.Tables,
                Priorities = Priorities(stream, job),
                Ranks = ranks.View,
                Stride = maxTokens,
                Start = job.Start,
                Count = job.Count,
                Sinks = sinks,
                Recent = Math.Clamp(policy.Recent(job.Keep), 0, job.Keep - sinks),
                PoolWidth = policy.Scoring?.PoolWidth ?? 1,
                KeyHeads = format.Shape.KeyHeads,
                IsMax = policy.Scoring?.Pooling == Pooling.Max,
                IsShared = heads == 1,
            },
            heads);
        top.Launch(
            stream,
            TopTokensKernel.Arguments(
                new TokenRows(headNumbers.View, headNumbers.View), jobBounds, ranks.View, maxTokens, lists.View, maxTokens, counts.View, new SelectionBudget(job.Keep, 0)),
            heads);
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
            Lists = lists.View,
            ListStride = maxTokens,
            NewStart = job.NewStart,
            First = first,
            Count = count,
            KeyHeads = format.Shape.KeyHeads,
            Pieces = format.Shape.HeadDim / 8,
            IsShared = heads == 1,
        });
    }

    /// <summary>The attention that tokens received from the prompt's last queries.</summary>
    private void Measure(AcceleratorStream stream, EvictionJob job, KvBlocks<BFloat16> source)
    {
        var arguments = Arguments(job.Layer, source);
        arguments.Queries = queries.Of(job.Sequence.QuerySlot, job.Layer).Cast<uint>();
        arguments.QueryStride = format.Shape.OutputWidth / 2;
        arguments.Sequence = job.Row;
        arguments.Count = job.Sequence.PromptLength - job.Sequence.FirstQuery;
        arguments.FirstPosition = job.Sequence.FirstQuery;
        arguments.Mass = masses.View;
        arguments.MassStride = maxTokens;
        mass.Launch(stream, arguments, EvictionFormat.Blocks(job.Length) - (job.Start / EvictionFormat.BlockTokens));
    }

    private AttentionMassArguments Arguments(int layer, KvBlocks<BFloat16> keys)
    {
        var weights = format.Policy.Scoring?.QueryHeads is null ? default : headWeights.View.BaseView.SubView((long)layer * format.Shape.QueryHeads, format.Shape.QueryHeads);
        return new AttentionMassArguments
        {
            Cache = new KvBlocks<UInt4>(keys.Keys.Cast<UInt4>(), keys.Values.Cast<UInt4>(), keys.Tables, keys.TableStride, starts: keys.Starts),
            LogSumExp = logSumExp.View,
            HeadWeights = weights,
        };
    }

    /// <summary>What the policy says of the tokens themselves; those kept from before have been judged.</summary>
    private ArrayView<float> Priorities(AcceleratorStream stream, EvictionJob job)
    {
        var unseen = job.Length - Math.Max(job.Start, job.Sequence.EvictedEnd);
        var target = preferred.AsSpan(0, job.Count);
        target.Clear();
        if (!format.Policy.Prefer(job.Layer, job.Sequence.Tokens[^unseen..], target[^unseen..]))
            return default;
        var view = priorities.View.BaseView.SubView(0, job.Count);
        // Rare, and pageable memory: the copy has left it when this returns.
        view.CopyFromCPU(stream, target);
        return view;
    }

    /// <summary>Block numbers of a job at most.</summary>
    private static int JobEntries(EvictionFormat format, int maxTokens) =>
        EvictionFormat.Blocks(maxTokens) + (format.Kept is null ? 0 : CodedKvFormat.Blocks(maxTokens, CodedKvFormat.BlockTokens));

    /// <summary>Denominators of the rows of a step, or of the queries kept of a prompt.</summary>
    private static long LogSumExpEntries(EvictionFormat format, KvLimits limits) =>
        (format.HasMarks ? Math.Max(limits.StepTokens, limits.Sequences * AttentionMassKernel.SingleSplits) : Math.Max(format.Window, 1)) * (long)format.Shape.QueryHeads;

    private static float[] Weights(EvictionFormat format)
    {
        if (format.Policy.Scoring?.QueryHeads is not { } chosen)
            return [1f];
        if (chosen.Count != format.LayerCount)
            throw new ArgumentException($"The policy names query heads of {chosen.Count} layers; the model has {format.LayerCount}.");
        var weights = new float[format.LayerCount * format.Shape.QueryHeads];
        for (var layer = 0; layer < format.LayerCount; layer++)
        {
            foreach (var head in chosen[layer])
            {
                if (head < 0 || head >= format.Shape.QueryHeads)
                    throw new ArgumentException($"The policy names query head {head} in layer {layer}; there are {format.Shape.QueryHeads}.");
                weights[(layer * format.Shape.QueryHeads) + head] = 1f;
            }
        }

        return weights;
    }
}
