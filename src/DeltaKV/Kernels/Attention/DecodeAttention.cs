using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>Launches <see cref="DecodeAttentionKernel"/> and the combination of its splits for one layer shape; owns the scratch between them.</summary>
internal sealed class DecodeAttention : IDisposable
{
    /// <summary>Plans of memory, which know no device, are for one of at most so many multiprocessors.</summary>
    internal const int MostMultiprocessors = 160;

    /// <summary>Groups that fit a multiprocessor beside each other with their registers.</summary>
    private const int ResidentGroups = 3;

    private readonly Accelerator accelerator;
    private readonly AttentionShape shape;
    private readonly int maxRows;
    private readonly int groupsPerMultiprocessor;
    private readonly Kernels whole;
    private readonly Kernels fromStart;
    private readonly Kernels observed;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> partialSums;
    private readonly MemoryBuffer1D<Float2, Stride1D.Dense> partialScales;

    /// <summary>Prepares for up to <paramref name="maxRows"/> sequences at once; the keys are split into that many groups per multiprocessor.</summary>
    internal DecodeAttention(Accelerator accelerator, AttentionShape shape, int maxRows, int groupsPerMultiprocessor = ResidentGroups)
    {
        shape.Validate();
        this.groupsPerMultiprocessor = groupsPerMultiprocessor;
        this.accelerator = accelerator;
        this.shape = shape;
        this.maxRows = maxRows;
        whole = Select<KeyRanges.Whole>();
        fromStart = Select<KeyRanges.FromStart>();
        observed = Select<KeyRanges.Observed>();
        var parts = 0;
        for (var rows = 1; rows <= maxRows; rows++)
            parts = Math.Max(parts, rows * Splits(rows));
        partialSums = accelerator.Allocate1D<float>((long)parts * shape.OutputWidth);
        partialScales = accelerator.Allocate1D<Float2>((long)parts * shape.QueryHeads);
    }

    /// <summary>Attends from the newest token of every row, which <see cref="RopeAppendKernel{T, TPair, TPairs}"/> has put into the cache.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="qkv">Rotated q first in each row <c>[count, qkvWidth]</c>.</param>
    /// <param name="rows">What the rows are.</param>
    /// <param name="cache">The layer's keys and values.</param>
    /// <param name="output">The result <c>[count, queryHeads * headDim]</c>.</param>
    /// <param name="count">The number of rows.</param>
    internal void Launch(
        AcceleratorStream stream, ArrayView<BFloat16> qkv, TokenRows rows, KvBlocks<BFloat16> cache, ArrayView<BFloat16> output, int count)
    {
        if (count == 0)
            return;
        var arguments = new DecodeArguments(qkv, rows, cache, output, partialSums.View, partialScales.View, shape, Splits(count));
        Launch(stream, cache.Starts.Length > 0 ? fromStart : whole, arguments, count);
    }

    /// <summary>Attends as <see cref="Launch(AcceleratorStream, ArrayView{BFloat16}, TokenRows, KvBlocks{BFloat16}, ArrayView{BFloat16}, int)"/> does, and leaves scores and softmax denominators behind for an observer.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="qkv">Rotated q first in each row <c>[count, qkvWidth]</c>.</param>
    /// <param name="rows">What the rows are.</param>
    /// <param name="cache">The layer's keys and values.</param>
    /// <param name="output">The result <c>[count, queryHeads * headDim]</c>.</param>
    /// <param name="bounds">Which tokens of a sequence the observer may choose from.</param>
    /// <param name="logits">Where their scores go.</param>
    /// <param name="logSumExp">Where the denominators' logarithms go.</param>
    /// <param name="count">The number of rows.</param>
    internal void LaunchObserved(
        AcceleratorStream stream,
        ArrayView<BFloat16> qkv,
        TokenRows rows,
        KvBlocks<BFloat16> cache,
        ArrayView<BFloat16> output,
        ArrayView<ReadBounds> bounds,
        TokenLogits logits,
        ArrayView<float> logSumExp,
        int count)
    {
        if (count > 0)
            Launch(stream, observed, new DecodeArguments(qkv, rows, cache, output, partialSums.View, partialScales.View, shape, Splits(count), bounds, logits, logSumExp), count);
    }

    private void Launch(AcceleratorStream stream, Kernels kernels, DecodeArguments arguments, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, maxRows);
        var splits = arguments.Splits;
        kernels.Attend.Launch(
            stream,
            new KernelConfig(new Index3D(splits, shape.KeyHeads, count), new Index3D(32 * DecodeAttentionKernel.Warps, 1, 1)),
            arguments);
        if (splits > 1)
            kernels.Combine.Launch(stream, new KernelConfig(new Index2D(shape.QueryHeads, count), new Index2D(shape.HeadDim, 1)), arguments);
    }

    /// <summary>The most that it allocates, whatever the device.</summary>
    internal static long Bytes(AttentionShape shape, int maxRows)
    {
        long parts = Math.Max(maxRows, MostMultiprocessors * ResidentGroups / shape.KeyHeads);
        return parts * sizeof(float) * (shape.OutputWidth + (2L * shape.QueryHeads));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        partialSums.Dispose();
        partialScales.Dispose();
    }

    /// <summary>Enough groups to fill the device once, whatever the number of rows; a function of nothing else, so graphs can be kept.</summary>
    private int Splits(int rows) =>
        Math.Max(1, accelerator.NumMultiprocessors * groupsPerMultiprocessor / (rows * shape.KeyHeads));

    private Kernels Select<TRange>()
        where TRange : struct, IKeyRange => shape.HeadDim switch
        {
            64 => Select<Heads.Of64, TRange>(),
            80 => Select<Heads.Of80, TRange>(),
            96 => Select<Heads.Of96, TRange>(),
            _ => Select<Heads.Of128, TRange>(),
        };

    private Kernels Select<THead, TRange>()
        where THead : struct, IHead
        where TRange : struct, IKeyRange => new(
            shape.GroupSize <= 8
                ? new(accelerator, DecodeAttentionKernel.Kernel<THead, OneSet, TRange>, new(32 * DecodeAttentionKernel.Warps, ResidentGroups))
                : new(accelerator, DecodeAttentionKernel.Kernel<THead, TwoSets, TRange>, new(32 * DecodeAttentionKernel.Warps, null)),
            new(accelerator, DecodeFinish.Combine<THead, TRange>));

    private readonly record struct Kernels(KernelHandle<DecodeArguments> Attend, KernelHandle<DecodeArguments> Combine);

    private readonly struct OneSet : DecodeAttentionKernel.IHeadSets
    {
        public static int Count => 1;
    }

    private readonly struct TwoSets : DecodeAttentionKernel.IHeadSets
    {
        public static int Count => 2;
    }
}
