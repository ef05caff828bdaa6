using DeltaKV.Cache;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Eviction.Kept;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Weights;

namespace DeltaKV.Compression.Eviction;

/// <summary>A method that deletes tokens as a policy says, and may code the others.</summary>
internal sealed class EvictionMethod : IKvMethod
{
    private readonly EvictionFormat format;
    private readonly KeptTokens kept;

    /// <param name="config">The model.</param>
    /// <param name="policy">What is kept.</param>
    /// <param name="code">How that is coded; null: it stays raw.</param>
    /// <exception cref="ArgumentException">The policy contradicts itself.</exception>
    internal EvictionMethod(ModelConfig config, IEvictionPolicy policy, KeptFormat? code = null)
    {
        if (policy is { WhileDecoding: true, Scoring.Window: not null })
            throw new ArgumentException("A policy that evicts while decoding cannot rank tokens by the prompt's last queries; use a scoring of all queries, or none.", nameof(policy));
        ArgumentOutOfRangeException.ThrowIfNegative(policy.Sinks);
        format = new EvictionFormat(new AttentionShape(config.HeadCount, config.KeyValueHeadCount, config.HeadDim), config.LayerCount, policy, code);
        format.Shape.Validate();
        kept = new KeptTokens(policy, config.LayerCount, config.MaxPositions);
    }

    /// <summary>What is stored.</summary>
    internal EvictionFormat Format => format;

    /// <inheritdoc/>
    /// <remarks>Of what is kept of a token of a prompt once it has been evicted from; a budget in tokens is counted per sequence instead.</remarks>
    public long BytesPerToken => (long)Math.Max(1, Math.Ceiling(kept.Bytes(format)));

    /// <summary>
    /// One prompt in full, which every prompt is until its end; what its eviction needs beside it; budgets in tokens and unfilled blocks of every sequence; and scratch.
    /// </summary>
    public long FixedBytes(KvLimits limits) =>
        (RawBlocks(limits) * format.BlockBytes) + CodedBlocks(limits).Select((count, kind) => count * format.Kept!.KindBytes[kind]).Sum() + EvictingKvLayers.WorkspaceBytes(format, limits);

    public IKvLayers<BFloat16> Open(KvMethodContext context)
    {
        var limits = context.Limits;
        var bytes = context.Bytes - FixedBytes(limits);
        if (bytes < 0)
        {
            throw new ArgumentException(
                $"{context.Bytes} bytes do not hold a prompt of {limits.SequenceTokens} tokens in full, which it is until it has been computed; {FixedBytes(limits)} do.", nameof(context));
        }

        // What is left holds more of what is kept, or, if nothing grows with prompts, more prompts at once.
        var coded = CodedBlocks(limits);
        var tokens = format.Kept is null ? 0 : Math.Min(bytes / kept.Bytes(format), (double)limits.Sequences * limits.SequenceTokens);
        for (var layer = 0; layer < format.LayerCount && tokens > 0; layer++)
        {
            if (format.Kept!.Kinds[layer] is >= 0 and var kind)
                coded[kind] += (long)(tokens * kept.PerToken[layer] / format.Kept.BlockTokens);
        }

        bytes = context.Bytes - EvictingKvLayers.WorkspaceBytes(format, limits) - coded.Select((count, kind) => count * format.Kept!.KindBytes[kind]).Sum();
        var firstLayer = format.Kept is { Code.RecomputesFirstLayer: true } ? new FirstLayerTable(context.Stream, context.Config, context.Weights, context.Kernels) : null;
        return new EvictingKvLayers(
            context.Stream, context.Kernels, format, (int)Math.Min(bytes / format.BlockBytes, int.MaxValue), [.. coded.Select(count => (int)count)], limits, context.PrefixCaching,
            new KeptModel(context.Config.Rope, firstLayer));
    }

    private long RawBlocks(KvLimits limits)
    {
        var largest = 0;
        for (var layer = 0; layer < format.LayerCount; layer++)
            largest = Math.Max(largest, Math.Min(format.Policy.Budget(layer, limits.SequenceTokens), limits.SequenceTokens));
        largest = Math.Max(largest, Math.Min(format.Probing?.LargestBudget(limits.SequenceTokens) ?? 0, limits.SequenceTokens));
        var perSequence = format.Kept is null ? 0L : (long)format.LayerCount * format.WindowBlocks;
        return ((long)format.LayerCount * (EvictionFormat.Blocks(limits.SequenceTokens + format.ProbeTokens) + (2L * limits.Sequences)))
            + (limits.Sequences * Math.Max(perSequence, format.Kept is null ? EvictionFormat.Blocks(kept.PerSequence.Sum()) : 0))
            + EvictionFormat.Blocks(largest) + 1;
    }

    /// <summary>By kind: one sequence of which nothing is deleted, and budgets in tokens and unfilled blocks of every sequence.</summary>
    private long[] CodedBlocks(KvLimits limits)
    {
        if (format.Kept is not { } code)
            return [];
        var blocks = new long[code.KindBytes.Count];
        for (var layer = 0; layer < format.LayerCount; layer++)
        {
            if (code.Kinds[layer] is >= 0 and var kind)
                blocks[kind] += (limits.SequenceTokens / code.BlockTokens) + (limits.Sequences * ((kept.PerSequence[layer] / code.BlockTokens) + 2L));
        }

        return blocks;
    }
}
