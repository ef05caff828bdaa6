using DeltaKV.Cache;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Quest;

/// <summary>
/// The largest and smallest key element of every page of 16 tokens, per channel and key head, beside the raw blocks: what queries are compared with instead of keys.
/// </summary>
/// <remarks>
/// A page is to the bounds what a token is to keys and values: <c>[layer][largest | smallest][block][keyHead][4 pages][d]</c> bf16, so that tiles of 16 pages are read as tiles of 16 tokens are.
/// Exact, as bf16 keys have bf16 extremes. An eighth of the keys' bytes.
/// </remarks>
internal sealed class PageBounds : IKvBlockStore, IDisposable
{
    /// <summary>Tokens of a page.</summary>
    internal const int PageTokens = 1 << PageShift;

    /// <summary>Binary logarithm of <see cref="PageTokens"/>.</summary>
    internal const int PageShift = 4;

    private const int BlockPageShift = KvBlockLayout.Shift - PageShift;

    private readonly AcceleratorStream stream;
    private readonly AttentionShape shape;
    private readonly int layers;
    private readonly int blocks;
    private readonly PageBoundsKernel kernel;
    private readonly PageLockedArray1D<Page> staging;
    private readonly MemoryBuffer1D<Page, Stride1D.Dense> pages;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> arena;
    private int pending;

    /// <param name="stream">The stream all steps run on.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="layers">Layers.</param>
    /// <param name="blocks">Blocks of the cache.</param>
    /// <param name="maxPages">The most pages that a step fills.</param>
    internal PageBounds(AcceleratorStream stream, AttentionShape shape, int layers, int blocks, int maxPages)
    {
        (this.stream, this.shape, this.layers, this.blocks) = (stream, shape, layers, blocks);
        kernel = new PageBoundsKernel(stream.Accelerator);
        staging = stream.Accelerator.AllocatePageLocked1D<Page>(maxPages);
        pages = stream.Accelerator.Allocate1D<Page>(maxPages);
        arena = stream.Accelerator.Allocate1D<BFloat16>(2L * layers * blocks * BlockElements(shape));
    }

    /// <summary>A page of a sequence; an element of a device table.</summary>
    /// <param name="sequence">Row of the block tables.</param>
    /// <param name="number">Number of the page in the sequence.</param>
    internal readonly struct Page(int sequence, int number)
    {
        /// <summary>Row of the block tables.</summary>
        public readonly int Sequence = sequence;

        /// <summary>Number of the page in the sequence.</summary>
        public readonly int Number = number;
    }

    /// <summary>Where the raw keys of a layer are, for the pages that fill.</summary>
    internal Func<int, KvBlocks<BFloat16>>? Keys { get; set; }

    /// <summary>Bytes for a block of all layers.</summary>
    internal static long BlockBytes(AttentionShape shape, int layers) => 2L * sizeof(ushort) * layers * BlockElements(shape);

    /// <summary>The most pages that a step of so many tokens and sequences fills.</summary>
    internal static int MaxPages(KvLimits limits) => (limits.StepTokens >> PageShift) + limits.Sequences;

    /// <summary>Notes which pages the tokens of a step will fill.</summary>
    internal void Prepare(ReadOnlySpan<SequenceStep> steps)
    {
        pending = 0;
        for (var i = 0; i < steps.Length; i++)
        {
            var end = (steps[i].Cache.Length + steps[i].Rows) >> PageShift;
            for (var page = steps[i].Cache.Length >> PageShift; page < end; page++)
                staging.Span[pending++] = new Page(i, page);
        }

        if (pending > 0)
            pages.View.BaseView.CopyFromPageLockedAsync(stream, staging, pending);
    }

    /// <summary>The bounds of a layer: largest elements in the place of keys, smallest in that of values.</summary>
    internal KvBlocks<BFloat16> Of(int layer, ArrayView<int> tables, int stride) =>
        new(Part(2 * layer), Part((2 * layer) + 1), tables, stride, BlockPageShift);

    /// <summary>Makes the bounds of the pages that have filled. What the step before them computed is in the blocks that its tables name.</summary>
    public void Flush()
    {
        for (var layer = 0; layer < layers && pending > 0; layer++)
        {
            var keys = Keys!(layer);
            kernel.Launch(stream, keys, Of(layer, keys.Tables, keys.TableStride), pages.View.BaseView.SubView(0, pending), shape);
        }

        pending = 0;
    }

    public void CopyBlock(int source, int destination)
    {
        long size = BlockElements(shape);
        for (var part = 0; part < 2 * layers; part++)
            Part(part).SubView(source * size, size).CopyTo(stream, Part(part).SubView(destination * size, size));
    }

    public void Dispose()
    {
        staging.Dispose();
        pages.Dispose();
        arena.Dispose();
    }

    private static int BlockElements(AttentionShape shape) => shape.BlockElements >> PageShift;

    private ArrayView<BFloat16> Part(int part)
    {
        var size = (long)blocks * BlockElements(shape);
        return arena.View.BaseView.SubView(part * size, size);
    }
}
