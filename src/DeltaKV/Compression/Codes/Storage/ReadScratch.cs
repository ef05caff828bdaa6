using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>Room that attention over codes works in: partial results of split decoding, and one layer of one prompt in plain form.</summary>
internal sealed class ReadScratch : IDisposable
{
    private readonly AttentionShape shape;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> partialOutput;
    private readonly MemoryBuffer1D<Float2, Stride1D.Dense> partialSoftmax;
    private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> plain;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> blockNumbers;
    private readonly int plainBlocks;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="limits">Bounds.</param>
    /// <param name="rows">The most rows of a decode.</param>
    /// <param name="splits">How many groups share the tokens of so many rows.</param>
    /// <param name="plainTokens">Tokens that the plain form must have room for.</param>
    internal ReadScratch(Accelerator accelerator, AttentionShape shape, KvLimits limits, int rows, Func<int, int> splits, int plainTokens = 0)
    {
        this.shape = shape;
        var parts = Enumerable.Range(1, rows).Max(count => (long)count * splits(count));
        partialOutput = accelerator.Allocate1D<float>(parts * shape.OutputWidth);
        partialSoftmax = accelerator.Allocate1D<Float2>(parts * shape.QueryHeads);
        plainBlocks = (int)Math.Max(
            CodedKvFormat.Blocks(plainTokens, KvBlockLayout.Size),
            Math.Min(CodedKvFormat.Blocks(limits.SequenceTokens, KvBlockLayout.Size), limits.ScratchBytes / (2L * sizeof(ushort) * shape.BlockElements)));
        plain = accelerator.Allocate1D<BFloat16>(Math.Max(2L * plainBlocks * shape.BlockElements, 1));
        blockNumbers = accelerator.Allocate1D(Enumerable.Range(0, Math.Max(plainBlocks, 1)).ToArray());
    }

    internal ArrayView<float> PartialOutput => partialOutput.View;

    internal ArrayView<Float2> PartialSoftmax => partialSoftmax.View;

    /// <summary>Bytes of the partial results of so many rows on, at most, 160 multiprocessors.</summary>
    internal static long WorkBytes(AttentionShape shape, int rows, int groupsPerMultiprocessor) =>
        (rows + (160L * groupsPerMultiprocessor / shape.KeyHeads)) * ((shape.OutputWidth * sizeof(float)) + (shape.QueryHeads * 2 * sizeof(float)));

    /// <summary>The room for tokens in plain form; every row of its table is the same.</summary>
    internal KvBlocks<BFloat16> Plain
    {
        get
        {
            var size = (long)plainBlocks * shape.BlockElements;
            return new(plain.View.BaseView.SubView(0, size), plain.View.BaseView.SubView(size, size), blockNumbers.View, 0);
        }
    }

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
        var used = CodedKvFormat.Blocks(promptLength - leftOut, KvBlockLayout.Size);
        if (used > plainBlocks)
            return false;
        blocks = Plain;
        reconstruct.Launch(stream, reader, order, sequence, promptLength, leftOut, blocks.Keys, blocks.Values, shape);
        return true;
    }

    public void Dispose()
    {
        partialOutput.Dispose();
        partialSoftmax.Dispose();
        plain.Dispose();
        blockNumbers.Dispose();
    }
}
