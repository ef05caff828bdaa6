using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Quest;

/// <summary>Everything is kept raw; a decode step reads the pages that could score highest, per key head, and the tokens since the last whole page. Prompts read everything.</summary>
internal sealed class QuestKvLayers : IKvLayers<BFloat16>
{
    private readonly ITransformerKernels<BFloat16> kernels;
    private readonly QuestOptions options;
    private readonly RawKvLayers<BFloat16> raw;
    private readonly PageBounds pages;
    private readonly PartialRead read;
    private readonly PageScoreKernel score;
    private readonly TopTokensKernel top;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> scores;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> lists;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> counts;
    private readonly int pageStride;
    private readonly int listStride;
    private readonly bool readsAll;

    /// <param name="stream">The stream all steps run on.</param>
    /// <param name="kernels">Attention over raw layers; not owned.</param>
    /// <param name="options">What is read.</param>
    /// <param name="layerCount">Layers.</param>
    /// <param name="blockCount">Blocks of <see cref="KvBlockLayout.Size"/> tokens.</param>
    /// <param name="limits">The most sequences, new tokens and tokens of a sequence.</param>
    /// <param name="prefixCaching">Whether blocks outlive their sequence for prompts that begin alike.</param>
    internal QuestKvLayers(
        AcceleratorStream stream, ITransformerKernels<BFloat16> kernels, QuestOptions options, int layerCount, int blockCount, KvLimits limits, bool prefixCaching)
    {
        var (accelerator, shape) = (stream.Accelerator, kernels.Shape);
        (this.kernels, this.options) = (kernels, options);
        pages = new PageBounds(stream, shape, layerCount, blockCount, PageBounds.MaxPages(limits));
        raw = new RawKvLayers<BFloat16>(stream, kernels, layerCount, blockCount, limits.Sequences, prefixCaching, pages, PageBounds.BlockBytes(shape, layerCount));
        pages.Keys = raw.Blocks;
        read = new PartialRead(accelerator, shape, limits.Sequences, limits.Sequences);
        score = new PageScoreKernel(accelerator);
        top = new TopTokensKernel(accelerator);
        (pageStride, listStride) = Strides(options, limits);
        scores = accelerator.Allocate1D<float>((long)limits.Sequences * shape.KeyHeads * pageStride);
        lists = accelerator.Allocate1D<int>((long)limits.Sequences * shape.KeyHeads * listStride);
        counts = accelerator.Allocate1D<int>((long)limits.Sequences * shape.KeyHeads);
        readsAll = options.Budget.Covers(limits.SequenceTokens);
    }

    public IKvCache Cache => raw.Cache;

    /// <summary>What is allocated besides blocks and their pages.</summary>
    internal static long FixedBytes(AttentionShape shape, QuestOptions options, KvLimits limits)
    {
        var (pages, list) = Strides(options, limits);
        return PartialRead.Bytes(shape, limits.Sequences)
            + ((long)limits.Sequences * shape.KeyHeads * (pages + list + 1) * sizeof(int))
            + (PageBounds.MaxPages(limits) * 2L * sizeof(int));
    }

    public void Prepare(AcceleratorStream stream, ReadOnlySpan<SequenceStep> sequences)
    {
        raw.Prepare(stream, sequences);
        pages.Prepare(sequences);
        // The newest page and the tokens after it are always read.
        read.Upload(stream, sequences, step => new ReadBounds(0, step.Cache.Length >> PageBounds.PageShift << PageBounds.PageShift));
    }

    public KvBlocks<BFloat16> Blocks(int layer) => raw.Blocks(layer);

    public void Attend(AcceleratorStream stream, int layer, ArrayView<BFloat16> qkv, in AttentionStep step, ArrayView<BFloat16> output)
    {
        if (layer < options.DenseLayers || readsAll)
        {
            raw.Attend(stream, layer, qkv, step, output);
            return;
        }

        var (blocks, rows) = (Blocks(layer), step.DecodeRows);
        score.Launch(stream, qkv, step.Rows, pages.Of(layer, blocks.Tables, blocks.TableStride), read.Bounds, scores.View, pageStride, kernels.Shape, rows);
        top.Launch(
            stream,
            TopTokensKernel.Arguments(step.Rows, read.Bounds, scores.View, pageStride, lists.View, listStride, counts.View, options.Budget, PageBounds.PageShift),
            rows,
            kernels.Shape.KeyHeads);
        var order = new TokenOrder(read.Bounds, lists.View, counts.View, listStride, kernels.Shape.KeyHeads, PageBounds.PageShift);
        read.Decode(stream, blocks, order, listStride << PageBounds.PageShift, qkv.Cast<uint>(), step.Rows, rows, output.Cast<BFloat16x2>());
        kernels.PrefillAttention(stream, qkv, step.Tiles, blocks, output, step.TileCount);
    }

    public void Dispose()
    {
        raw.Dispose();
        pages.Dispose();
        read.Dispose();
        scores.Dispose();
        lists.Dispose();
        counts.Dispose();
    }

    /// <summary>Entries of a list of scores, and of selected pages.</summary>
    private static (int Pages, int List) Strides(QuestOptions options, KvLimits limits)
    {
        var pages = (limits.SequenceTokens >> PageBounds.PageShift) + 1;
        return (pages, Math.Clamp((options.Budget.MaxTokens(limits.SequenceTokens) >> PageBounds.PageShift) + 1, 1, pages));
    }
}
