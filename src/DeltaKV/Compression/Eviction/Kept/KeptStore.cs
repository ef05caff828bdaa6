using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>The coded part of an evicting cache on the device: memory, tables, and attention over what is partly coded.</summary>
internal sealed class KeptStore : IDisposable
{
    private readonly ITransformerKernels<BFloat16> kernels;
    private readonly EvictionFormat format;
    private readonly EvictionTables tables;
    private readonly ReadScratch scratch;
    private readonly KeptMemory memory;
    private readonly EvictionMemory raw;
    private readonly PositionKernel position;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> positions;
    private readonly KiviKept? kivi;
    private readonly CodecKept? codecs;
    private readonly List<PromptSpan> spans = [];
    private readonly List<PromptRun> prompts = [];
    private readonly long promptBlocks;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="kernels">Attention over raw blocks; not owned.</param>
    /// <param name="format">What is stored.</param>
    /// <param name="codedBlocks">Coded blocks, by kind.</param>
    /// <param name="limits">The most sequences, new tokens and tokens of a sequence.</param>
    /// <param name="tables">Maps of a step; not owned.</param>
    /// <param name="raw">Raw blocks; not owned.</param>
    /// <param name="model">Rotations, and the first layer; owned.</param>
    internal KeptStore(
        Accelerator accelerator, ITransformerKernels<BFloat16> kernels, EvictionFormat format, IReadOnlyList<int> codedBlocks, KvLimits limits, EvictionTables tables, EvictionMemory raw,
        KeptModel model)
    {
        (this.kernels, this.format, this.tables, this.raw) = (kernels, format, tables, raw);
        promptBlocks = limits.ScratchBytes / ((long)EvictionFormat.BlockTokens * format.TokenBytes);
        scratch = new ReadScratch(accelerator, format.Shape, limits, limits.Sequences, WholeTokens(format, limits));
        memory = new KeptMemory(accelerator, format.Kept!, codedBlocks);
        position = new PositionKernel(accelerator);
        positions = accelerator.Allocate1D<int>(Positions(format, limits));
        var code = format.Kept!.Code;
        kivi = code.HasKivi ? new KiviKept(accelerator, format, scratch, tables.Kept!, memory, limits.SequenceTokens) : null;
        codecs = code.Codecs.Count > 0 ? new CodecKept(accelerator, format, scratch, tables.Kept!, memory, limits, model) : null;
    }

    /// <summary>Bytes of everything but the blocks.</summary>
    internal static long WorkspaceBytes(EvictionFormat format, KvLimits limits) =>
        KeptTables.Bytes(format, limits.Sequences, limits.SequenceTokens)
        + Math.Max(limits.ScratchBytes, (long)WholeTokens(format, limits) * format.TokenBytes) + ReadScratch.WorkBytes(format.Shape, limits.Sequences)
        + (format.Kept!.Code.HasKivi ? KiviKept.Bytes(format.Kept.Code, limits.SequenceTokens) : 0)
        + (Positions(format, limits) * sizeof(int))
        + (format.Kept.Code.Codecs.Count > 0 ? CodecKept.Bytes(format, limits) : 0);

    /// <summary>Which kernels the step prepared last decodes with.</summary>
    internal int Variant { get; private set; }

    /// <summary>Notes the prompts of a step.</summary>
    internal void Prepare(ReadOnlySpan<SequenceStep> steps)
    {
        PromptSpan.Find(steps, spans);
        prompts.Clear();
        foreach (var span in spans)
        {
            var sequence = (EvictingSequence)steps[span.Sequence].Cache;
            prompts.Add(new PromptRun(span, sequence, sequence.IsRaw));
        }

        var hasMoved = false;
        foreach (var step in steps)
            hasMoved |= ((EvictingSequence)step.Cache).EvictedEnd > 0;
        Variant = hasMoved && format.Kept!.HasPositions ? 1 : 0;
        if (codecs is not null)
            codecs.HasMoved = Variant == 1;
    }

    /// <summary>Attention of a layer whose tokens may be coded.</summary>
    internal void Attend(AcceleratorStream stream, int layer, KvBlocks<BFloat16> blocks, ArrayView<BFloat16> qkv, in AttentionStep step, ArrayView<BFloat16> output)
    {
        var code = CodeOf(layer);
        var order = Order(layer);
        code.Decode(stream, layer, blocks, order, qkv, step, output);
        foreach (var prompt in prompts)
        {
            var (row, length, firstTile, tileCount) = prompt.Span;
            var tiles = step.Tiles.SubView(firstTile, tileCount);
            if (prompt.IsRaw)
            {
                kernels.PrefillAttention(stream, qkv, tiles, blocks, output, tileCount);
            }
            else if (tileCount >= PlainAttention.TilesWorthIt && prompt.Blocks(layer) <= promptBlocks)
            {
                var plain = code.Reconstruct(stream, layer, blocks, order, row, prompt.Sequence.Layers[layer].Start, length);
                kernels.PrefillAttention(stream, qkv, tiles, plain, output, tileCount);
            }
            else
            {
                code.Prefill(stream, layer, blocks, order, qkv, tiles, tileCount, output);
            }
        }
    }

    /// <summary>Codes slots of sequences of the last prepared step.</summary>
    internal void Code(AcceleratorStream stream, IReadOnlyList<CodingRange> ranges)
    {
        foreach (var range in ranges)
        {
            var known = FindPositions(stream, range.Layer, range.Row, range.First, range.End, range.MovedEnd, new ReadBounds(0, 0));
            CodeOf(range.Layer).Encode(
                stream,
                range.Layer,
                new KeptSource(tables.Raw(raw, range.Layer, range.Row), Positions: known, FirstPosition: range.First),
                new KeptTarget(tables.Kept!.Row(range.Layer, range.Row), range.First, range.End - range.First, 0));
        }
    }

    /// <summary>Positions of the tokens in slots of a layer of a sequence of the last prepared step; an empty view where nobody asks. Valid until the next call.</summary>
    internal ArrayView<int> FindPositions(AcceleratorStream stream, int layer, int row, int first, int end, int movedEnd, ReadBounds coded)
    {
        if (!format.Kept!.HasPositions || format.Kept.Code.CodedLayer[layer] < 0)
            return default;
        position.Launch(stream, new PositionKernel.Arguments
        {
            Positions = positions.View,
            RawPositions = raw.Positions,
            CodedPositions = memory.Positions(format.Kept.Kinds[layer]),
            RawBlocks = tables.Row(layer, row),
            CodedBlocks = tables.Kept!.Row(layer, row),
            First = first,
            Count = end - first,
            MovedEnd = movedEnd,
            CodedStart = coded.CodedStart,
            CodedEnd = coded.CodedEnd,
        });
        return positions.View;
    }

    /// <summary>Codes tokens that an eviction has chosen.</summary>
    internal void Code(AcceleratorStream stream, int layer, KeptSource source, KeptTarget target) => CodeOf(layer).Encode(stream, layer, source, target);

    /// <summary>The tokens of a layer of a sequence of the last prepared step, in plain form.</summary>
    internal KvBlocks<BFloat16> Reconstruct(AcceleratorStream stream, EvictionJob job) =>
        CodeOf(job.Layer).Reconstruct(stream, job.Layer, tables.Raw(raw, job.Layer), Order(job.Layer), job.Row, job.Start, job.Length);

    public void Dispose()
    {
        kivi?.Dispose();
        codecs?.Dispose();
        memory.Dispose();
        positions.Dispose();
        scratch.Dispose();
    }

    /// <summary>Room for a layer of whatever may be evicted from again; what a probe ranked is not.</summary>
    private static int WholeTokens(EvictionFormat format, KvLimits limits) => format.Probing is null ? limits.SequenceTokens : 0;

    private static long Positions(EvictionFormat format, KvLimits limits) => format.PositionBytes > 0 ? limits.SequenceTokens : 1;

    private TokenOrder Order(int layer) => new(tables.Kept!.Bounds(layer), default, default, 0, starts: tables.Starts(layer));

    private IKeptCode CodeOf(int layer) => format.Kept!.Code.KiviLayer[layer] >= 0 ? kivi! : codecs!;
}
