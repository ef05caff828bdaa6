using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;
using DeltaKV.Weights;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>The coded part of an evicting cache on the device: memory, tables, and attention over what is partly coded.</summary>
internal sealed class KeptStore : IDisposable
{
    // From this many query tiles on, reconstructing once for all of them beats doing it in each.
    private const int TilesWorthScratch = 2;

    private readonly ITransformerKernels<BFloat16> kernels;
    private readonly EvictionFormat format;
    private readonly EvictionTables tables;
    private readonly ReadScratch scratch;
    private readonly MemoryBuffer1D<UInt4, Stride1D.Dense>[] memory;
    private readonly KiviKept? kivi;
    private readonly CodecKept? codecs;
    private readonly List<PromptRun> prompts = [];
    private readonly long promptBlocks;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="kernels">Attention over raw blocks; not owned.</param>
    /// <param name="format">What is stored.</param>
    /// <param name="codedBlocks">Coded blocks, by kind.</param>
    /// <param name="limits">The most sequences, new tokens and tokens of a sequence.</param>
    /// <param name="tables">Maps of a step; not owned.</param>
    /// <param name="rope">The model's rotary embedding.</param>
    internal KeptStore(
        Accelerator accelerator, ITransformerKernels<BFloat16> kernels, EvictionFormat format, IReadOnlyList<int> codedBlocks, KvLimits limits, EvictionTables tables, RopeParameters rope)
    {
        (this.kernels, this.format, this.tables) = (kernels, format, tables);
        promptBlocks = limits.ScratchBytes / ((long)EvictionFormat.BlockTokens * format.TokenBytes);
        scratch = new ReadScratch(accelerator, format.Shape, limits, limits.Sequences, WholeTokens(format, limits));
        memory = [.. codedBlocks.Select((count, kind) => accelerator.Allocate1D<UInt4>(count * format.Kept!.KindBytes[kind] / 16))];
        ArrayView<UInt4>[] views = [.. memory.Select(buffer => (ArrayView<UInt4>)buffer.View)];
        var code = format.Kept!.Code;
        kivi = code.HasKivi ? new KiviKept(accelerator, format, scratch, tables.Kept!, views, limits.SequenceTokens) : null;
        codecs = code.Codecs.Count > 0 ? new CodecKept(accelerator, format, scratch, tables.Kept!, views, limits, rope) : null;
    }

    /// <summary>Bytes of everything but the blocks.</summary>
    internal static long WorkspaceBytes(EvictionFormat format, KvLimits limits) =>
        KeptTables.Bytes(format, limits.Sequences, limits.SequenceTokens)
        + Math.Max(limits.ScratchBytes, (long)WholeTokens(format, limits) * format.TokenBytes) + ReadScratch.WorkBytes(format.Shape, limits.Sequences)
        + (format.Kept!.Code.HasKivi ? KiviKept.Bytes(format.Kept.Code, limits.SequenceTokens) : 0)
        + (format.Kept.Code.Codecs.Count > 0 ? CodecKept.Bytes(format, limits) : 0);

    /// <summary>Notes the prompts of a step.</summary>
    internal void Prepare(ReadOnlySpan<SequenceStep> steps)
    {
        prompts.Clear();
        var tile = 0;
        for (var row = 0; row < steps.Length; row++)
        {
            if (steps[row].Rows == 1)
                continue;
            var sequence = (EvictingSequence)steps[row].Cache;
            var tiles = PrefillTile.CountOf(steps[row].Rows);
            prompts.Add(new PromptRun(sequence, row, sequence.Length + steps[row].Rows, tile, tiles, sequence.IsRaw));
            tile += tiles;
        }
    }

    /// <summary>Attention of a layer whose tokens may be coded.</summary>
    internal void Attend(AcceleratorStream stream, int layer, KvBlocks<BFloat16> raw, ArrayView<BFloat16> qkv, in AttentionStep step, ArrayView<BFloat16> output)
    {
        var code = CodeOf(layer);
        var order = Order(layer);
        code.Decode(stream, layer, raw, order, qkv, step, output);
        foreach (var prompt in prompts)
        {
            var tiles = step.Tiles.SubView(prompt.FirstTile, prompt.Tiles);
            if (prompt.IsRaw)
            {
                kernels.PrefillAttention(stream, qkv, tiles, raw, output, prompt.Tiles);
            }
            else if (prompt.Tiles >= TilesWorthScratch
                && prompt.Tiles == step.TileCount
                && prompt.Blocks(layer) <= promptBlocks)
            {
                var plain = code.Reconstruct(stream, layer, raw, order, prompt.Row, prompt.Sequence.Layers[layer].Start, prompt.Length);
                kernels.PrefillAttention(stream, qkv, tiles, plain, output, prompt.Tiles);
            }
            else
            {
                code.Prefill(stream, layer, raw, order, qkv, tiles, prompt.Tiles, output);
            }
        }
    }

    /// <summary>Codes slots of sequences of the last prepared step.</summary>
    internal void Code(AcceleratorStream stream, IReadOnlyList<CodingRange> ranges, Func<int, int, KvBlocks<BFloat16>> raw)
    {
        foreach (var range in ranges)
        {
            var blocks = tables.Kept!.Blocks(range.Layer).SubView((long)range.Row * tables.Kept.RowEntries, tables.Kept.Stride);
            CodeOf(range.Layer).Encode(stream, range.Layer, new KeptSource(raw(range.Layer, range.Row)), new KeptTarget(blocks, range.First, range.End - range.First, 0));
        }
    }

    /// <summary>Codes tokens that an eviction has chosen.</summary>
    internal void Code(AcceleratorStream stream, int layer, KeptSource source, KeptTarget target) => CodeOf(layer).Encode(stream, layer, source, target);

    /// <summary>The tokens of a layer of a sequence of the last prepared step, in plain form.</summary>
    internal KvBlocks<BFloat16> Reconstruct(AcceleratorStream stream, EvictionJob job, KvBlocks<BFloat16> raw) =>
        CodeOf(job.Layer).Reconstruct(stream, job.Layer, raw, Order(job.Layer), job.Row, job.Start, job.Length);

    public void Dispose()
    {
        kivi?.Dispose();
        codecs?.Dispose();
        foreach (var buffer in memory)
            buffer.Dispose();
        scratch.Dispose();
    }

    /// <summary>Room for a layer of whatever may be evicted from again; what a probe ranked is not.</summary>
    private static int WholeTokens(EvictionFormat format, KvLimits limits) => format.Probing is null ? limits.SequenceTokens : 0;

    private TokenOrder Order(int layer) => new(tables.Kept!.Bounds(layer), default, default, 0, starts: tables.Starts(layer));

    private IKeptCode CodeOf(int layer) => format.Kept!.Code.KiviLayer[layer] >= 0 ? kivi! : codecs!;
}
