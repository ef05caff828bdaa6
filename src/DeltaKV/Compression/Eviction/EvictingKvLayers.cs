using DeltaKV.Cache;
using DeltaKV.Compression.Eviction.Kept;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction;

/// <summary>A cache whose layers keep some of the prompt's tokens, as a policy says, uncompressed or coded; attention reads what is there.</summary>
internal sealed class EvictingKvLayers : IKvLayers<BFloat16>, IEvictionStore
{
    private readonly AcceleratorStream stream;
    private readonly ITransformerKernels<BFloat16> kernels;
    private readonly EvictionFormat format;
    private readonly EvictingKvCache cache;
    private readonly EvictionMemory memory;
    private readonly EvictionTables tables;
    private readonly QueryStore queries;
    private readonly TokenRanking ranking;
    private readonly Evictor evictor;
    private readonly MarkHistogram? histogram;
    private readonly KeptStore? kept;
    private readonly List<PromptRows> prompts = [];

    /// <param name="stream">The stream all steps run on.</param>
    /// <param name="kernels">Attention; not owned.</param>
    /// <param name="format">What is stored.</param>
    /// <param name="blocks">Raw blocks.</param>
    /// <param name="codedBlocks">Coded blocks, by kind.</param>
    /// <param name="limits">The most sequences, new tokens and tokens of a sequence.</param>
    /// <param name="prefixCaching">Whether finished sequences are kept for prompts that begin alike.</param>
    /// <param name="model">What codes take from the model; owned.</param>
    internal EvictingKvLayers(
        AcceleratorStream stream, ITransformerKernels<BFloat16> kernels, EvictionFormat format, int blocks, IReadOnlyList<int> codedBlocks, KvLimits limits,
        bool prefixCaching, KeptModel? model = null)
    {
        (this.stream, this.kernels, this.format) = (stream, kernels, format);
        var accelerator = stream.Accelerator;
        memory = new EvictionMemory(accelerator, format, blocks);
        limits = WithProbe(format, limits);
        tables = new EvictionTables(accelerator, format, limits.Sequences, limits.SequenceTokens);
        kept = format.Kept is null ? null : new KeptStore(accelerator, kernels, format, codedBlocks, limits, tables, memory, model!);
        queries = new QueryStore(accelerator, format, limits.Sequences);
        ranking = new TokenRanking(accelerator, format, limits, memory, tables, queries);
        evictor = new Evictor(accelerator, format, limits, memory, tables, ranking, kept);
        histogram = format.Probing is null ? null : new MarkHistogram(accelerator, format, tables);
        cache = new EvictingKvCache(format, blocks, codedBlocks, limits.Sequences, this, prefixCaching);
    }

    public IKvCache Cache => cache;

    public int Variant => kept?.Variant ?? 0;

    public bool MayReplay => !queries.IsNeeded && (format.Probing is null || prompts.Count == 0);

    /// <summary>Bytes of everything but the blocks.</summary>
    internal static long WorkspaceBytes(EvictionFormat format, KvLimits limits)
    {
        limits = WithProbe(format, limits);
        return EvictionTables.Bytes(format.LayerCount, limits.Sequences, limits.SequenceTokens)
            + Math.Max(sizeof(ushort), limits.Sequences * format.QueryBytes)
            + TokenRanking.Bytes(format, limits) + Evictor.Bytes(format, limits)
            + (format.Kept is null ? 0 : KeptStore.WorkspaceBytes(format, limits))
            + (format.Probing is null ? 0 : (long)format.LayerCount * MarkHistogram.Buckets * sizeof(int));
    }

    public void Prepare(AcceleratorStream stream, ReadOnlySpan<SequenceStep> sequences)
    {
        foreach (var sequence in cache.Admitted)
            sequence.Row = -1;
        tables.Upload(stream, sequences);
        queries.Prepare(sequences);
        kept?.Prepare(sequences);
        prompts.Clear();
        if (!format.HasMarks)
            return;
        for (var row = 0; row < sequences.Length; row++)
        {
            var sequence = (EvictingSequence)sequences[row].Cache;
            if (format.Probing is null || sequence.IsProbing)
                prompts.Add(new PromptRows(sequence, row, sequences[row].FirstRow, sequences[row].Rows, sequence.Length, sequence.FreshFrom));
        }
    }

    public KvBlocks<BFloat16> Blocks(int layer) => tables.Raw(memory, layer);

    public void Attend(AcceleratorStream stream, int layer, ArrayView<BFloat16> qkv, in AttentionStep step, ArrayView<BFloat16> output)
    {
        var blocks = Blocks(layer);
        if (format.Kept?.Kinds[layer] >= 0)
        {
            kept!.Attend(stream, layer, blocks, qkv, step, output);
        }
        else
        {
            kernels.DecodeAttention(stream, qkv, step.Rows, blocks, output, step.DecodeRows);
            kernels.PrefillAttention(stream, qkv, step.Tiles, blocks, output, step.TileCount);
        }

        queries.Keep(stream, layer, qkv);
        if (format.HasMarks)
            ranking.Mark(stream, layer, qkv, step.Rows, step.DecodeRows, prompts);
    }

    public void CopyBlock(int source, int target) => memory.Copy(stream, source, target);

    public int[] CountMarks(int row, int length) => histogram!.Count(stream, memory.Marks, row, length);

    public void Evict(IReadOnlyList<EvictionJob> jobs) => evictor.Run(stream, jobs);

    public void Code(IReadOnlyList<CodingRange> ranges) => kept!.Code(stream, ranges);

    public void Dispose()
    {
        kept?.Dispose();
        histogram?.Dispose();
        evictor.Dispose();
        ranking.Dispose();
        queries.Dispose();
        tables.Dispose();
        memory.Dispose();
    }

    /// <summary>A probe's tokens come after those of the longest sequence.</summary>
    private static KvLimits WithProbe(EvictionFormat format, KvLimits limits) => limits with { SequenceTokens = limits.SequenceTokens + format.ProbeTokens };
}
