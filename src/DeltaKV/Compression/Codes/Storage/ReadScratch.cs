using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>Room that attention over codes works in: partial results of split decoding, and one layer of one prompt in plain form, or as much of it as is allowed.</summary>
internal sealed class ReadScratch : IDisposable
{
    // Groups of a multiprocessor.
    private const int ResidentGroups = 4;

    private readonly Accelerator accelerator;
    private readonly AttentionShape shape;
    private readonly ArrayView<float> partialOutput;
    private readonly ArrayView<Float2> partialSoftmax;
    private readonly DeviceBuffers buffers;
    private readonly ArrayView<BFloat16> plain;
    private readonly ArrayView<int> blockNumbers;
    private readonly int plainBlocks;
    private readonly int shiftBlocks;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="limits">Bounds.</param>
    /// <param name="rows">The most rows of a decode.</param>
    /// <param name="plainTokens">Tokens that the plain form must have room for.</param>
    internal ReadScratch(Accelerator accelerator, AttentionShape shape, KvLimits limits, int rows, int plainTokens = 0)
    {
        (this.accelerator, this.shape) = (accelerator, shape);
        buffers = new DeviceBuffers(accelerator);
        var parts = Enumerable.Range(1, rows).Max(count => (long)count * Splits(count));
        partialOutput = buffers.Allocate<float>(parts * shape.OutputWidth);
        partialSoftmax = buffers.Allocate<Float2>(parts * shape.QueryHeads);
        shiftBlocks = CodedKvFormat.Blocks(limits.SequenceTokens, KvBlockLayout.Size);
        plainBlocks = Math.Max(CodedKvFormat.Blocks(plainTokens, KvBlockLayout.Size), PlainTokensOf(shape, limits) / KvBlockLayout.Size);
        plain = buffers.Allocate<BFloat16>(2L * plainBlocks * shape.BlockElements);
        int[] numbers = [.. new int[shiftBlocks], .. Enumerable.Range(0, Math.Max(plainBlocks, 1))];
        blockNumbers = buffers.Upload<int>(numbers);
    }

    /// <summary>Bytes of the partial results of so many rows, whatever the device.</summary>
    internal static long WorkBytes(AttentionShape shape, int rows) =>
        (rows + ((long)DecodeAttention.MostMultiprocessors * ResidentGroups / shape.KeyHeads)) * ((shape.OutputWidth * sizeof(float)) + (shape.QueryHeads * 2 * sizeof(float)));

    /// <summary>Tokens of one layer that fit the room for plain form.</summary>
    internal static int PlainTokensOf(AttentionShape shape, KvLimits limits) => KvBlockLayout.Size * (int)Math.Min(
        CodedKvFormat.Blocks(limits.SequenceTokens, KvBlockLayout.Size), limits.ScratchBytes / (2L * sizeof(ushort) * shape.BlockElements));

    /// <summary>What a kernel attends so many rows with, its partial results here.</summary>
    internal DecodeArguments<TReader> Arguments<TReader>(
        TReader reader, TokenRows rows, TokenOrder order, ArrayView<uint> qkv, ArrayView<BFloat16x2> output, int rowCount)
        where TReader : unmanaged => new()
        {
            Reader = reader,
            Rows = rows,
            Order = order,
            Qkv = qkv,
            Output = output,
            PartialOutput = partialOutput,
            PartialSoftmax = partialSoftmax,
            Splits = Splits(rowCount),
        };

    /// <summary>The room for tokens in plain form; every row of its table is the same.</summary>
    internal KvBlocks<BFloat16> Plain => PlainFrom(0, default);

    /// <summary>Tokens of it.</summary>
    internal int PlainTokens => plainBlocks * KvBlockLayout.Size;

    /// <summary>Writes a sequence's tokens of one layer, less those left out, from a slot on as plain blocks, as many as there is room for.</summary>
    internal KvBlocks<BFloat16> Reconstruct<TReader>(
        AcceleratorStream stream, ReconstructKernel<TReader> reconstruct, TReader reader, TokenOrder order, int sequence, int length, int leftOut, int start)
        where TReader : unmanaged, IKvReader<TReader>
    {
        var origin = start / KvBlockLayout.Size;
        var blocks = PlainFrom(origin, order.Starts);
        reconstruct.Launch(
            stream,
            reader,
            order,
            sequence,
            length,
            leftOut,
            blocks.Keys,
            blocks.Values,
            shape,
            origin: origin * KvBlockLayout.Size,
            end: (origin + plainBlocks) * KvBlockLayout.Size);
        return blocks;
    }

    /// <summary>The room for tokens whose first slots, so many blocks, are not there.</summary>
    private KvBlocks<BFloat16> PlainFrom(int origin, ArrayView<int> starts)
    {
        var size = (long)plainBlocks * shape.BlockElements;
        return new(
            plain.SubView(0, size), plain.SubView(size, size), blockNumbers.SubView(shiftBlocks - origin), 0, starts: starts);
    }

    /// <summary>How many groups share the tokens of so many rows: enough to fill the device, whatever the lengths, so that graphs can be kept.</summary>
    private int Splits(int rows) => Math.Max(1, accelerator.NumMultiprocessors * ResidentGroups / (Math.Max(rows, 1) * shape.KeyHeads));

    public void Dispose() => buffers.Dispose();
}
