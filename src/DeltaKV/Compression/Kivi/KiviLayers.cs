using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Kivi;

/// <summary>The quantised layers of a coded cache on the device: their table, what compresses them, what reads them.</summary>
internal sealed class KiviLayers : IDisposable
{
    private readonly int headDim;
    private readonly KiviLayer[] layers;
    private readonly MemoryBuffer1D<KiviLayer, Stride1D.Dense> layerTable;
    private readonly PageLockedArray1D<FlushItem> itemStaging;
    private readonly MemoryBuffer1D<FlushItem, Stride1D.Dense> items;
    private readonly KiviEncodeKernel encode;
    private readonly KiviPool pool;

    /// <param name="accelerator">Where they are.</param>
    /// <param name="format">What is stored.</param>
    /// <param name="units">The pool's memory.</param>
    /// <param name="tables">Block numbers by 32 tokens.</param>
    /// <param name="tableStride">Entries of a row of them.</param>
    /// <param name="maxTokens">The most tokens of a flush.</param>
    internal KiviLayers(Accelerator accelerator, CodedKvFormat format, ArrayView<UInt4> units, ArrayView<int> tables, int tableStride, int maxTokens)
    {
        headDim = format.Shape.HeadDim;
        layers = new KiviLayer[format.Kivi.Count];
        var unit = 0;
        for (var i = 0; i < layers.Length; i++)
        {
            var code = format.Kivi[i];
            layers[i] = new KiviLayer { FirstUnit = unit, KeyBits = code.KeyBits, ValueBits = code.ValueBits, IsRotated = code.IsRotated ? 1 : 0 };
            unit += format.Shape.KeyHeads * KiviLayout.HeadUnits(headDim, code.KeyBits, code.ValueBits);
        }

        layerTable = accelerator.Allocate1D(layers);
        var maxItems = MaxItems(maxTokens);
        itemStaging = accelerator.AllocatePageLocked1D<FlushItem>(maxItems);
        items = accelerator.Allocate1D<FlushItem>(maxItems);
        pool = new KiviPool(units, tables, tableStride, unit, format.Shape.KeyHeads);
        encode = new KiviEncodeKernel(accelerator);
        DecodeAll = new KiviDecodeKernel(accelerator);
        DecodeSelected = new ReaderDecodeKernel<KiviReader>(accelerator);
        Score = new KiviScoreKernel(accelerator);
        Prefill = new ReaderPrefillKernel<KiviReader>(accelerator);
        Reconstruct = new ReconstructKernel<KiviReader>(accelerator);
    }

    /// <summary>Decoding that reads every token.</summary>
    internal KiviDecodeKernel DecodeAll { get; }

    /// <summary>Decoding that reads selected tokens.</summary>
    internal ReaderDecodeKernel<KiviReader> DecodeSelected { get; }

    /// <summary>Scores of observation layers.</summary>
    internal KiviScoreKernel Score { get; }

    /// <summary>Prompts, fused.</summary>
    internal ReaderPrefillKernel<KiviReader> Prefill { get; }

    /// <summary>Prompts, reconstructed once.</summary>
    internal ReconstructKernel<KiviReader> Reconstruct { get; }

    /// <summary>What it allocates.</summary>
    internal static long WorkBytes(CodedKvFormat format, int maxTokens) => format.HasKivi
        ? (format.Kivi.Count * (long)ArrayView<KiviLayer>.ElementSize) + (MaxItems(maxTokens) * (long)ArrayView<FlushItem>.ElementSize)
        : 0;

    /// <summary>A layer as attention reads it.</summary>
    /// <param name="number">Number among the quantised layers.</param>
    /// <param name="raw">Its raw blocks.</param>
    internal KiviReader Reader(int number, KvBlocks<BFloat16x8> raw) => new(pool, layers[number], raw);

    /// <summary>Compresses the items, two and two a block, in all layers. Their raw blocks may be given away afterwards.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="work">16-token groups in order of sequence and position.</param>
    /// <param name="raw">Raw blocks of the first quantised layer; the others follow.</param>
    /// <param name="layerElements">Elements of the keys (or values) of a layer.</param>
    internal void Compress(AcceleratorStream stream, IReadOnlyList<FlushItem> work, KvBlocks<BFloat16> raw, long layerElements)
    {
        var capacity = (int)itemStaging.Length;
        for (var start = 0; start < work.Count; start += capacity)
        {
            var count = Math.Min(capacity, work.Count - start);
            for (var i = 0; i < count; i++)
                itemStaging.Span[i] = work[start + i];
            items.View.BaseView.CopyFromPageLockedAsync(stream, itemStaging, count);
            encode.Launch(stream, pool, layerTable.View, items.View.BaseView.SubView(0, count), raw, layerElements, headDim);
        }
    }

    private static int MaxItems(int maxTokens) =>
        CodedKvFormat.Blocks(maxTokens, KiviCode.GroupSize) * (KiviCode.GroupSize / CodedKvFormat.BlockTokens);

    public void Dispose()
    {
        layerTable.Dispose();
        itemStaging.Dispose();
        items.Dispose();
    }
}
