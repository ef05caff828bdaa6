using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>Launches <see cref="PrefillAttentionKernel"/> for one layer shape.</summary>
internal sealed class PrefillAttention
{
    private readonly AttentionShape shape;
    private readonly KernelHandle<PrefillArguments> whole;
    private readonly KernelHandle<PrefillArguments> fromStart;
    private readonly KernelHandle<PrefillArguments> inParts;
    private readonly int sharedChunks;

    internal PrefillAttention(Accelerator accelerator, AttentionShape shape)
    {
        shape.Validate();
        this.shape = shape;
        (whole, fromStart, inParts, sharedChunks) = shape.HeadDim switch
        {
            64 => Select<Heads.Of64>(accelerator),
            80 => Select<Heads.Of80>(accelerator),
            96 => Select<Heads.Of96>(accelerator),
            _ => Select<Heads.Of128>(accelerator),
        };
    }

    /// <summary>Attends from the tokens of <paramref name="tiles"/>, whose k and v are in the cache already.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="qkv">Rotated q first in each row <c>[rows, qkvWidth]</c>.</param>
    /// <param name="tiles">Tiles as <see cref="PrefillTile.Cut"/> makes them, of one or many sequences.</param>
    /// <param name="cache">The layer's keys and values.</param>
    /// <param name="output">The result <c>[rows, queryHeads * headDim]</c>.</param>
    /// <param name="tileCount">The number of tiles.</param>
    internal void Launch(
        AcceleratorStream stream,
        ArrayView<BFloat16> qkv,
        ArrayView<PrefillTile> tiles,
        KvBlocks<BFloat16> cache,
        ArrayView<BFloat16> output,
        int tileCount) => Launch(cache.Starts.Length > 0 ? fromStart : whole, stream, new PrefillArguments(qkv, tiles, cache, output, shape, default), tileCount);

    /// <summary>The same to a part of the keys; the part with a tile's last key writes its result.</summary>
    internal void LaunchPart(
        AcceleratorStream stream,
        ArrayView<BFloat16> qkv,
        ArrayView<PrefillTile> tiles,
        KvBlocks<BFloat16> cache,
        ArrayView<BFloat16> output,
        int tileCount,
        PrefillPart part) => Launch(inParts, stream, new PrefillArguments(qkv, tiles, cache, output, shape, part), tileCount);

    private static (KernelHandle<PrefillArguments> Whole, KernelHandle<PrefillArguments> FromStart, KernelHandle<PrefillArguments> InParts, int SharedChunks)
        Select<THead>(Accelerator accelerator)
        where THead : struct, IHead =>
        (new(accelerator, PrefillAttentionKernel.Kernel<THead, KeyRanges.Whole>),
        new(accelerator, PrefillAttentionKernel.Kernel<THead, KeyRanges.FromStart>),
        new(accelerator, PrefillAttentionKernel.Kernel<THead, KeyRanges.Part>),
        PrefillAttentionKernel.SharedChunks<THead>());

    private void Launch(KernelHandle<PrefillArguments> kernel, AcceleratorStream stream, PrefillArguments arguments, int tileCount)
    {
        if (tileCount == 0)
            return;
        kernel.Launch(
            stream,
            new KernelConfig(
                new Index2D(tileCount, shape.QueryHeads),
                new Index2D(PrefillAttentionKernel.GroupSize, 1),
                SharedMemoryConfig.RequestDynamic<UInt4>(sharedChunks)),
            arguments);
    }
}
