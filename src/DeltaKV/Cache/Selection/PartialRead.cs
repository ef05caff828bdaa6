using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Selection;

/// <summary>Decode attention over raw layers of which some tokens are read: which of a sequence's tokens may be left out, and the room that splits of a read work in.</summary>
internal sealed class PartialRead : IDisposable
{
    private const int GroupsPerMultiprocessor = 4;

    // A tile for each warp of a group.
    private const int GroupTokens = 16 * ReaderDecodeKernel<RawReader>.Warps;

    // For planning before a device is known: no device has more.
    private const int MaxMultiprocessors = 256;

    private readonly AttentionShape shape;
    private readonly int multiprocessors;
    private readonly PageLockedArray1D<ReadBounds> staging;
    private readonly MemoryBuffer1D<ReadBounds, Stride1D.Dense> bounds;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> partialOutput;
    private readonly MemoryBuffer1D<Float2, Stride1D.Dense> partialSoftmax;
    private readonly ReaderDecodeKernel<RawReader> decode;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="sequences">Sequences of a step.</param>
    /// <param name="rows">The most rows of a decode.</param>
    internal PartialRead(Accelerator accelerator, AttentionShape shape, int sequences, int rows)
    {
        this.shape = shape;
        multiprocessors = accelerator.NumMultiprocessors;
        staging = accelerator.AllocatePageLocked1D<ReadBounds>(sequences);
        bounds = accelerator.Allocate1D<ReadBounds>(sequences);
        var parts = Parts(shape, rows, multiprocessors);
        partialOutput = accelerator.Allocate1D<float>(parts * shape.OutputWidth);
        partialSoftmax = accelerator.Allocate1D<Float2>(parts * shape.QueryHeads);
        decode = new ReaderDecodeKernel<RawReader>(accelerator);
    }

    /// <summary>By sequence: tokens in between may be left out.</summary>
    internal ArrayView<ReadBounds> Bounds => bounds.View;

    /// <summary>Everything is read.</summary>
    internal TokenOrder Everything => new(Bounds, default, default, 0);

    /// <summary>The most that it allocates.</summary>
    internal static long Bytes(AttentionShape shape, int rows) =>
        (8L * rows) + (Parts(shape, rows, MaxMultiprocessors) * ((shape.OutputWidth * 4L) + (shape.QueryHeads * 8L)));

    /// <summary>Copies the bounds of a step. The previous copy must have finished, as it has when the last step's tokens were read.</summary>
    internal void Upload(AcceleratorStream stream, ReadOnlySpan<SequenceStep> steps, Func<SequenceStep, ReadBounds> of)
    {
        for (var i = 0; i < steps.Length; i++)
            staging.Span[i] = of(steps[i]);
        if (steps.Length > 0)
            bounds.View.BaseView.CopyFromPageLockedAsync(stream, staging, steps.Length);
    }

    /// <summary>Attends rows in that order.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="blocks">The layer's keys and values.</param>
    /// <param name="order">What is read.</param>
    /// <param name="tokens">How many tokens that usually is at most: more groups than they fill would only have to be added.</param>
    /// <param name="qkv">q, k, v side by side.</param>
    /// <param name="rows">Sequence and position of the rows.</param>
    /// <param name="rowCount">The number of rows.</param>
    /// <param name="output">Attention output.</param>
    internal void Decode(
        AcceleratorStream stream,
        KvBlocks<BFloat16> blocks,
        TokenOrder order,
        int tokens,
        ArrayView<uint> qkv,
        TokenRows rows,
        int rowCount,
        ArrayView<BFloat16x2> output) => decode.Launch(stream, Arguments(blocks, order, tokens, qkv, rows, rowCount, output), shape, rowCount);

    /// <summary>What a kernel attends with to every token of a layer for an observer.</summary>
    internal DecodeArguments<RawReader> Observed(
        KvBlocks<BFloat16> blocks, ArrayView<uint> qkv, TokenRows rows, int rowCount, ArrayView<BFloat16x2> output, TokenSelector selector) =>
        Arguments(blocks, Everything, int.MaxValue, qkv, rows, rowCount, output) with { LogSumExp = selector.LogSumExp, Logits = selector.Logits(rowCount) };

    private DecodeArguments<RawReader> Arguments(
        KvBlocks<BFloat16> blocks, TokenOrder order, int tokens, ArrayView<uint> qkv, TokenRows rows, int rowCount, ArrayView<BFloat16x2> output) => new()
        {
            Reader = Reader(blocks),
            Rows = rows,
            Order = order,
            Qkv = qkv,
            Output = output,
            PartialOutput = partialOutput.View,
            PartialSoftmax = partialSoftmax.View,
            Splits = Math.Min(Splits(shape, rowCount, multiprocessors), Math.Max(1, tokens / GroupTokens)),
        };

    /// <summary>What the tiles of a prompt attend with in that order.</summary>
    internal PrefillReadArguments<RawReader> Prefill(KvBlocks<BFloat16> blocks, TokenOrder order, ArrayView<BFloat16> qkv, in AttentionStep step, ArrayView<BFloat16> output) => new()
    {
        Reader = Reader(blocks),
        Tiles = step.Tiles,
        Order = order,
        Qkv = qkv.Cast<uint>(),
        Output = output.Cast<BFloat16x2>(),
    };

    public void Dispose()
    {
        staging.Dispose();
        bounds.Dispose();
        partialOutput.Dispose();
        partialSoftmax.Dispose();
    }

    private RawReader Reader(KvBlocks<BFloat16> blocks) => new(blocks.Eights(), shape.KeyHeads);

    /// <summary>Enough groups to fill the device, whatever the lengths, so that graphs can be kept.</summary>
    private static int Splits(AttentionShape shape, int rows, int multiprocessors) =>
        Math.Max(1, multiprocessors * GroupsPerMultiprocessor / (Math.Max(rows, 1) * shape.KeyHeads));

    private static long Parts(AttentionShape shape, int sequences, int multiprocessors) =>
        Enumerable.Range(1, sequences).Max(rows => (long)rows * Splits(shape, rows, multiprocessors));
}
