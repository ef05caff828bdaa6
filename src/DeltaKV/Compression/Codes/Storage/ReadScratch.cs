using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>Room that attention over codes works in: partial results of split decoding, and one layer of one prompt in plain form.</summary>
internal sealed class ReadScratch : IDisposable
{
    // Groups of a multiprocessor.
    private const int ResidentGroups = 4;

    private readonly AttentionShape shape;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> partialOutput;
    private readonly MemoryBuffer1D<Float2, Stride1D.Dense> partialSoftmax;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> plain;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> blockNumbers;
    private readonly int plainBlocks;
    private readonly int shiftBlocks;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="limits">Bounds.</param>
    /// <param name="rows">The most rows of a decode.</param>
    /// <param name="plainTokens">Tokens that the plain form must have room for.</param>
    internal ReadScratch(Accelerator accelerator, AttentionShape shape, KvLimits limits, int rows, int plainTokens = 0)
    {
        this.shape = shape;
        var parts = Enumerable.Range(1, rows).Max(count => (long)count * Splits(accelerator, shape, count));
        partialOutput = accelerator.Allocate1D<float>(parts * shape.OutputWidth);
        partialSoftmax = accelerator.Allocate1D<Float2>(parts * shape.QueryHeads);
        shiftBlocks = CodedKvFormat.Blocks(limits.SequenceTokens, KvBlockLayout.Size);
        plainBlocks = (int)Math.Max(
            CodedKvFormat.Blocks(plainTokens, KvBlockLayout.Size), Math.Min(shiftBlocks, limits.ScratchBytes / (2L * sizeof(ushort) * shape.BlockElements)));
        plain = accelerator.Allocate1D<BFloat16>(Math.Max(2L * plainBlocks * shape.BlockElements, 1));
        blockNumbers = accelerator.Allocate1D<int>([.. new int[shiftBlocks], .. Enumerable.Range(0, Math.Max(plainBlocks, 1))]);
    }

    internal ArrayView<float> PartialOutput => partialOutput.View;

    internal ArrayView<Float2> PartialSoftmax => partialSoftmax.View;

    /// <summary>Bytes of the partial results of so many rows on, at most, 160 multiprocessors.</summary>
    internal static long WorkBytes(AttentionShape shape, int rows) =>
        (rows + (160L * ResidentGroups / shape.KeyHeads)) * ((shape.OutputWidth * sizeof(float)) + (shape.QueryHeads * 2 * sizeof(float)));

    /// <summary>How many groups share the tokens of so many rows: enough to fill the device, whatever the lengths, so that graphs can be kept.</summary>
    internal static int Splits(Accelerator accelerator, AttentionShape shape, int rows) =>
        Math.Max(1, accelerator.NumMultiprocessors * ResidentGroups / (Math.Max(rows, 1) * shape.KeyHeads));

    /// <summary>The room for tokens in plain form; every row of its table is the same.</summary>
    internal KvBlocks<BFloat16> Plain => PlainFrom(0, default);

    /// <summary>Tokens of it.</summary>
    internal int PlainTokens => plainBlocks * KvBlockLayout.Size;

    /// <summary>Writes a prompt's tokens of one layer, less those left out, as plain blocks, if there is room; every row of their table is the same.</summary>
    internal bool TryReconstruct<TReader>(
        AcceleratorStream stream,
        ReconstructKernel<TReader> reconstruct,
        TReader reader,
        TokenOrder order,
        int sequence,
        int promptLength,
        int leftOut,
        out KvBlocks<BFloat16> blocks)
        where TReader : unmanaged, IKvReader<TReader>
    {
        blocks = default;
        if (CodedKvFormat.Blocks(promptLength - leftOut, KvBlockLayout.Size) > plainBlocks)
            return false;
        blocks = Reconstruct(stream, reconstruct, reader, order, sequence, promptLength, leftOut, 0);
        return true;
    }

    /// <summary>Writes a sequence's tokens of one layer from a slot on, less those left out, as plain blocks; there must be room.</summary>
    internal KvBlocks<BFloat16> Reconstruct<TReader>(
        AcceleratorStream stream, ReconstructKernel<TReader> reconstruct, TReader reader, TokenOrder order, int sequence, int length, int leftOut, int start)
        where TReader : unmanaged, IKvReader<TReader>
    {
        var origin = start / KvBlockLayout.Size;
        var blocks = PlainFrom(origin, order.Starts);
        reconstruct.Launch(stream, reader, order, sequence, length, leftOut, blocks.Keys, blocks.Values, shape, origin: origin * KvBlockLayout.Size);
        return blocks;
    }

    /// <summary>The room for tokens whose first slots, so many blocks, are not there.</summary>
    private KvBlocks<BFloat16> PlainFrom(int origin, ArrayView<int> starts)
    {
        var size = (long)plainBlocks * shape.BlockElements;
        return new(
            plain.View.BaseView.SubView(0, size), plain.View.BaseView.SubView(size, size), blockNumbers.View.BaseView.SubView(shiftBlocks - origin), 0, starts: starts);
    }

    public void Dispose()
    {
        partialOutput.Dispose();
        partialSoftmax.Dispose();
        plain.Dispose();
        blockNumbers.Dispose();
    }
}
