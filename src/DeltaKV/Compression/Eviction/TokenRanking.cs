using DeltaKV.Cache.Selection;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>Says on the device which tokens of a layer stay: the attention they received, ranks, and lists of the best.</summary>
internal sealed class TokenRanking : IDisposable
{
    private readonly EvictionFormat format;
    private readonly EvictionMemory memory;
    private readonly EvictionTables tables;
    private readonly QueryStore queries;
    private readonly AttentionMassKernel mass;
    private readonly RankKernel rank;
    private readonly TopTokensKernel top;
    private readonly DeviceBuffers buffers;
    private readonly ArrayView<float> logSumExp;
    private readonly ArrayView<float> headWeights;
    private readonly ArrayView<float> masses;
    private readonly ArrayView<float> ranks;
    private readonly ArrayView<int> lists;
    private readonly ArrayView<int> counts;
    private readonly ArrayView<int> headNumbers;
    private readonly ArrayView<float> priorities;
    private readonly float[] preferred;
    private readonly int maxTokens;

    internal TokenRanking(Accelerator accelerator, EvictionFormat format, KvLimits limits, EvictionMemory memory, EvictionTables tables, QueryStore queries)
    {
        (this.format, this.memory, this.tables, this.queries) = (format, memory, tables, queries);
        maxTokens = limits.SequenceTokens;
        Heads = HeadsOf(format);
        mass = new AttentionMassKernel(accelerator, format.Shape, isMax: format.Probing is not null);
        rank = new RankKernel(accelerator);
        top = new TopTokensKernel(accelerator);
        buffers = new DeviceBuffers(accelerator);
        logSumExp = buffers.Allocate<float>(LogSumExpEntries(format, limits));
        headWeights = buffers.Upload<float>(Weights(format));
        masses = buffers.Allocate<float>(format.Window > 0 ? (long)format.Shape.KeyHeads * maxTokens : 1);
        ranks = buffers.Allocate<float>((long)Heads * maxTokens);
        lists = buffers.Allocate<int>((long)Heads * maxTokens);
        counts = buffers.Allocate<int>(Heads);
        headNumbers = buffers.Upload<int>(Enumerable.Range(0, Heads).ToArray());
        priorities = buffers.Allocate<float>(maxTokens);
        preferred = new float[maxTokens];
    }

    /// <summary>Lists: one per key/value head, or one that all share.</summary>
    internal int Heads { get; }

    /// <summary>Slots of the tokens that stay, in order <c>[heads, stride]</c>, of the layer chosen for last.</summary>
    internal ArrayView<int> Lists => lists;

    /// <summary>Entries of a head's list; 0: all heads have the same.</summary>
    internal int ListStride => Heads == 1 ? 0 : maxTokens;

    /// <summary>Bytes of a working set of this size.</summary>
    internal static long Bytes(EvictionFormat format, KvLimits limits) => sizeof(float) * (LogSumExpEntries(format, limits)
        + Weights(format).Length
        + (format.Window > 0 ? (long)format.Shape.KeyHeads * limits.SequenceTokens : 1)
        + (2L * HeadsOf(format) * limits.SequenceTokens) + (2L * HeadsOf(format))
        + limits.SequenceTokens);

    /// <summary>Lists of a layer that loses tokens.</summary>
    internal static int HeadsOf(EvictionFormat format) => format.Policy.Scoring is null or { SharedByHeads: true } ? 1 : format.Shape.KeyHeads;

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

    /// <summary>Lists the tokens that stay.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="job">The layer.</param>
    /// <param name="source">Its tokens; every row of the table is the sequence's.</param>
    /// <param name="bounds">Its first slot and its length, head by head.</param>
    internal void Choose(AcceleratorStream stream, EvictionJob job, KvBlocks<BFloat16> source, ArrayView<ReadBounds> bounds)
    {
        if (format.Window > 0)
            Measure(stream, job, source);
        var policy = format.Policy;
        var sinks = Math.Min(policy.Sinks, job.Keep);
        rank.Launch(
            stream,
            new RankKernel.Arguments
            {
                Mass = format.Window > 0 ? masses : default,
                Marks = memory.Marks,
                Table = source.Tables,
                Priorities = Priorities(stream, job),
                Ranks = ranks,
                Stride = maxTokens,
                Start = job.Start,
                Count = job.Count,
                Sinks = sinks,
                Recent = Math.Clamp(policy.Recent(job.Keep), 0, job.Keep - sinks),
                PoolWidth = policy.Scoring?.PoolWidth ?? 1,
                KeyHeads = format.Shape.KeyHeads,
                IsMax = policy.Scoring?.Pooling == Pooling.Max,
                IsShared = Heads == 1,
            },
            Heads);
        top.Launch(
            stream,
            TopTokensKernel.Arguments(
                new TokenRows(headNumbers, headNumbers), bounds, ranks, maxTokens, lists, maxTokens, counts, new SelectionBudget(job.Keep, 0)),
            Heads);
    }

    public void Dispose() => buffers.Dispose();

    /// <summary>The attention that tokens received from the prompt's last queries.</summary>
    private void Measure(AcceleratorStream stream, EvictionJob job, KvBlocks<BFloat16> source)
    {
        var arguments = Arguments(job.Layer, source);
        arguments.Queries = queries.Of(job.Sequence.QuerySlot, job.Layer).Cast<uint>();
        arguments.QueryStride = format.Shape.OutputWidth / 2;
        arguments.Sequence = job.Row;
        arguments.Count = job.Sequence.PromptLength - job.Sequence.FirstQuery;
        arguments.FirstPosition = job.Sequence.FirstQuery;
        arguments.Mass = masses;
        arguments.MassStride = maxTokens;
        mass.Launch(stream, arguments, EvictionFormat.Blocks(job.Length) - (job.Start / EvictionFormat.BlockTokens));
    }

    private AttentionMassArguments Arguments(int layer, KvBlocks<BFloat16> keys)
    {
        var weights = format.Policy.Scoring?.QueryHeads is null ? default : headWeights.SubView((long)layer * format.Shape.QueryHeads, format.Shape.QueryHeads);
        return new AttentionMassArguments
        {
            Cache = new KvBlocks<UInt4>(keys.Keys.Cast<UInt4>(), keys.Values.Cast<UInt4>(), keys.Tables, keys.TableStride, starts: keys.Starts),
            LogSumExp = logSumExp,
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
        var view = priorities.SubView(0, job.Count);
        // Rare, and pageable memory: the copy has left it when this returns.
        view.CopyFromCPU(stream, target);
        return view;
    }

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
