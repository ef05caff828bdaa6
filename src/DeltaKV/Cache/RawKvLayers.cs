using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache;

/// <summary>The uncompressed cache: paged blocks per layer, every token read.</summary>
internal sealed class RawKvLayers<T> : IKvLayers<T>, IKvBlockStore
    where T : unmanaged
{
    private readonly AcceleratorStream stream;
    private readonly ITransformerKernels<T> kernels;
    private readonly BlockTables tables;
    private readonly MemoryBuffer1D<T, Stride1D.Dense> arena;
    private readonly long layerElements;
    private readonly IKvBlockStore? companion;

    /// <param name="stream">The stream all steps run on.</param>
    /// <param name="kernels">Attention; not owned.</param>
    /// <param name="layerCount">Layers.</param>
    /// <param name="blockCount">Blocks of <see cref="KvBlockLayout.Size"/> tokens.</param>
    /// <param name="maxSequences">The most sequences of a step.</param>
    /// <param name="prefixCaching">Whether blocks outlive their sequence for prompts that begin alike.</param>
    /// <param name="companion">What a method keeps beside the blocks, copied and flushed with them; not owned.</param>
    /// <param name="companionBlockBytes">Its bytes for a block.</param>
    internal RawKvLayers(
        AcceleratorStream stream, ITransformerKernels<T> kernels, int layerCount, int blockCount, int maxSequences, bool prefixCaching,
        IKvBlockStore? companion = null, long companionBlockBytes = 0)
    {
        this.companion = companion;
        this.stream = stream;
        this.kernels = kernels;
        layerElements = (long)blockCount * kernels.Shape.BlockElements;
        arena = stream.Accelerator.Allocate1D<T>(2 * layerCount * layerElements);
        tables = new BlockTables(stream.Accelerator, maxSequences, blockCount);
        var bytesPerToken = (long)layerCount * 2 * kernels.Shape.KeyHeads * kernels.Shape.HeadDim * ArrayView<T>.ElementSize;
        Cache = new PagedKvCache(blockCount, KvBlockLayout.Size, bytesPerToken, this, prefixCaching, companionBlockBytes);
        LayerCount = layerCount;
    }

    public IKvCache Cache { get; }

    internal int LayerCount { get; }

    public void Prepare(AcceleratorStream stream, ReadOnlySpan<SequenceStep> sequences) => tables.Upload(stream, sequences);

    public KvBlocks<T> Blocks(int layer) => new(Part(2 * layer), Part((2 * layer) + 1), tables.View, tables.Stride);

    public void Attend(AcceleratorStream stream, int layer, ArrayView<T> qkv, in AttentionStep step, ArrayView<T> output)
    {
        var blocks = Blocks(layer);
        kernels.DecodeAttention(stream, qkv, step.Rows, blocks, output, step.DecodeRows);
        kernels.PrefillAttention(stream, qkv, step.Tiles, blocks, output, step.TileCount);
    }

    public void CopyBlock(int source, int destination)
    {
        long size = kernels.Shape.BlockElements;
        for (var part = 0; part < 2 * LayerCount; part++)
            Part(part).SubView(source * size, size).CopyTo(stream, Part(part).SubView(destination * size, size));
        companion?.CopyBlock(source, destination);
    }

    public void Flush() => companion?.Flush();

    public void Dispose()
    {
        arena.Dispose();
        tables.Dispose();
    }

    /// <summary>Keys (even) or values (odd) of a layer.</summary>
    private ArrayView<T> Part(int part) => arena.View.BaseView.SubView(part * layerElements, layerElements);
}
