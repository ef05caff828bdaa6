using DeltaKV.Cache;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Weights;

namespace DeltaKV.Compression.Eviction;

/// <summary>A method that deletes tokens as a policy says.</summary>
internal sealed class EvictionMethod : IKvMethod
{
    private readonly EvictionFormat format;

    // Kept tokens of all layers grow with the prompt, or not: so many per token, and so many per sequence.
    private readonly double keptPerToken;
    private readonly int keptPerSequence;

    /// <exception cref="ArgumentException">The policy contradicts itself.</exception>
    internal EvictionMethod(ModelConfig config, IEvictionPolicy policy)
    {
        if (policy is { WhileDecoding: true, Scoring.Window: not null })
            throw new ArgumentException("A policy that evicts while decoding cannot rank tokens by the prompt's last queries; use a scoring of all queries, or none.", nameof(policy));
        ArgumentOutOfRangeException.ThrowIfNegative(policy.Sinks);
        format = new EvictionFormat(new AttentionShape(config.HeadCount, config.KeyValueHeadCount, config.HeadDim), config.LayerCount, policy);
        format.Shape.Validate();
        var (half, whole) = (Kept(config.MaxPositions / 2), Kept(config.MaxPositions));
        keptPerToken = (double)(whole - half) / (config.MaxPositions - (config.MaxPositions / 2));
        keptPerSequence = (int)Math.Max(0, Math.Ceiling(whole - (keptPerToken * config.MaxPositions)));
    }

    /// <summary>What is stored.</summary>
    internal EvictionFormat Format => format;

    /// <inheritdoc/>
    /// <remarks>Of what is kept of a token of a prompt once it has been evicted from; a budget in tokens is counted per sequence instead.</remarks>
    public long BytesPerToken => (long)Math.Max(1, Math.Ceiling(keptPerToken * format.BlockBytes / EvictionFormat.BlockTokens));

    /// <summary>
    /// One prompt in full, which every prompt is until its end; what its eviction needs beside it; budgets in tokens and unfilled blocks of every sequence; and scratch.
    /// </summary>
    public long FixedBytes(KvLimits limits) => (FixedBlocks(limits) * format.BlockBytes) + EvictingKvLayers.WorkspaceBytes(format, limits);

    public IKvLayers<BFloat16> Open(KvMethodContext context)
    {
        var limits = context.Limits;
        var blocks = (context.Bytes - EvictingKvLayers.WorkspaceBytes(format, limits)) / format.BlockBytes;
        if (blocks < FixedBlocks(limits))
        {
            throw new ArgumentException(
                $"{context.Bytes} bytes do not hold a prompt of {limits.SequenceTokens} tokens in full, which it is until it has been computed; {FixedBytes(limits)} do.", nameof(context));
        }

        return new EvictingKvLayers(context.Stream, context.Kernels, format, (int)Math.Min(blocks, int.MaxValue), limits, context.PrefixCaching);
    }

    private long Kept(int promptTokens)
    {
        var kept = 0L;
        for (var layer = 0; layer < format.LayerCount; layer++)
            kept += Math.Min(format.Policy.Budget(layer, promptTokens), promptTokens);
        return kept;
    }

    private long FixedBlocks(KvLimits limits)
    {
        var largest = 0;
        for (var layer = 0; layer < format.LayerCount; layer++)
            largest = Math.Max(largest, Math.Min(format.Policy.Budget(layer, limits.SequenceTokens), limits.SequenceTokens));
        largest = Math.Max(largest, Math.Min(format.Probing?.LargestBudget(limits.SequenceTokens) ?? 0, limits.SequenceTokens));
        return ((long)format.LayerCount * (EvictionFormat.Blocks(limits.SequenceTokens + format.ProbeTokens) + (2L * limits.Sequences)))
            + ((long)limits.Sequences * EvictionFormat.Blocks(keptPerSequence))
            + EvictionFormat.Blocks(largest) + 1;
    }
}
