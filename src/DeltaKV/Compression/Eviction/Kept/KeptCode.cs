using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>A form that kept tokens have, and how attention reads it: what <see cref="CodedKvLayers"/> does with it, over blocks of one layer and slots from a start on.</summary>
/// <typeparam name="TReader">How it is read.</typeparam>
/// <param name="format">What is stored.</param>
/// <param name="scratch">Room to work in; not owned.</param>
/// <param name="prefill">Attention of prompts.</param>
/// <param name="reconstruct">Reconstruction into scratch.</param>
internal abstract class KeptCode<TReader>(
    EvictionFormat format, ReadScratch scratch, ReaderPrefillKernel<TReader> prefill, ReconstructKernel<TReader> reconstruct) : IKeptCode
    where TReader : unmanaged, IKvReader<TReader>
{
    /// <summary>What is stored.</summary>
    protected EvictionFormat Format => format;

    /// <summary>Attention of one query per sequence.</summary>
    protected abstract IDecodeKernel<TReader> DecodeKernel { get; }

    /// <inheritdoc/>
    public abstract void Encode(AcceleratorStream stream, int layer, KeptSource source, KeptTarget target);

    /// <inheritdoc/>
    public void Decode(AcceleratorStream stream, int layer, KvBlocks<BFloat16> raw, TokenOrder order, ArrayView<BFloat16> qkv, in AttentionStep step, ArrayView<BFloat16> output) =>
        DecodeKernel.Launch(
            stream,
            scratch.Arguments(Reader(layer, raw.Eights()), step.Rows, order, qkv.Cast<uint>(), output.Cast<BFloat16x2>(), step.DecodeRows),
            format.Shape,
            step.DecodeRows);

    /// <inheritdoc/>
    public void Prefill(
        AcceleratorStream stream, int layer, KvBlocks<BFloat16> raw, TokenOrder order, ArrayView<BFloat16> qkv, ArrayView<PrefillTile> tiles, int tileCount, ArrayView<BFloat16> output) =>
        prefill.Launch(
            stream,
            new PrefillReadArguments<TReader>
            {
                Reader = Reader(layer, raw.Eights()),
                Tiles = tiles,
                Order = order,
                Qkv = qkv.Cast<uint>(),
                Output = output.Cast<BFloat16x2>(),
            },
            format.Shape,
            tileCount);

    /// <inheritdoc/>
    public KvBlocks<BFloat16> Reconstruct(AcceleratorStream stream, int layer, KvBlocks<BFloat16> raw, TokenOrder order, int row, int start, int length) =>
        scratch.Reconstruct(stream, reconstruct, Reader(layer, raw.Eights()), order, row, length, 0, start);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>A layer of the last prepared step.</summary>
    protected abstract TReader Reader(int layer, KvBlocks<BFloat16x8> raw);
}
