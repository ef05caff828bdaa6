using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Kivi;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>Kept tokens quantised as in KIVI: keys, rotated as they are, per channel over 32 tokens that need not have been neighbours; every head its own.</summary>
internal sealed class KiviKept : KeptCode<KiviReader>
{
    private readonly KeptTables tables;
    private readonly KeptMemory memory;
    private readonly KiviLayer[] layers;
    private readonly MemoryBuffer1D<KiviLayer, Stride1D.Dense> layerTable;
    private readonly MemoryBuffer1D<FlushItem, Stride1D.Dense> items;
    private readonly KiviEncodeKernel encode;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="format">What is stored.</param>
    /// <param name="scratch">Room to work in; not owned.</param>
    /// <param name="tables">Maps of a step; not owned.</param>
    /// <param name="memory">Coded blocks; not owned.</param>
    /// <param name="maxTokens">Tokens of a sequence.</param>
    internal KiviKept(Accelerator accelerator, EvictionFormat format, ReadScratch scratch, KeptTables tables, KeptMemory memory, int maxTokens)
        : base(format, scratch, new ReaderPrefillKernel<KiviReader>(accelerator), new ReconstructKernel<KiviReader>(accelerator))
    {
        (this.tables, this.memory) = (tables, memory);
        layers = [.. format.Kept!.Code.Kivi.Select(code => new KiviLayer { KeyBits = code.KeyBits, ValueBits = code.ValueBits, IsRotated = code.IsRotated ? 1 : 0 })];
        layerTable = accelerator.Allocate1D(layers);
        items = accelerator.Allocate1D(Enumerable.Range(0, CodedKvFormat.Blocks(maxTokens, KiviCode.GroupSize)).Select(i => new FlushItem(0, KiviCode.GroupSize * i)).ToArray());
        encode = new KiviEncodeKernel(accelerator);
        DecodeKernel = new KiviDecodeKernel(accelerator);
    }

    /// <inheritdoc/>
    protected override IDecodeKernel<KiviReader> DecodeKernel { get; }

    /// <summary>Bytes of its own.</summary>
    internal static long Bytes(CodedKvFormat code, int maxTokens) =>
        (code.Kivi.Count * (long)ArrayView<KiviLayer>.ElementSize) + (CodedKvFormat.Blocks(maxTokens, KiviCode.GroupSize) * (long)ArrayView<FlushItem>.ElementSize);

    /// <inheritdoc/>
    public override void Encode(AcceleratorStream stream, int layer, KeptSource source, KeptTarget target) => encode.Launch(
        stream,
        Pool(layer, target.Blocks, 0),
        layerTable.View.BaseView.SubView(Format.Kept!.Code.KiviLayer[layer], 1),
        items.View.BaseView.SubView(target.First / KiviCode.GroupSize, target.Count / KiviCode.GroupSize),
        source.Raw,
        0,
        Format.Shape.HeadDim,
        source.Lists,
        source.ListStride);

    /// <inheritdoc/>
    public override void Dispose()
    {
        layerTable.Dispose();
        items.Dispose();
    }

    /// <inheritdoc/>
    protected override KiviReader Reader(int layer, KvBlocks<BFloat16x8> raw) =>
        new(Pool(layer, tables.Blocks(layer), tables.RowEntries), layers[Format.Kept!.Code.KiviLayer[layer]], raw);

    private KiviPool Pool(int layer, ArrayView<int> blocks, int stride)
    {
        var kind = Format.Kept!.Kinds[layer];
        return new KiviPool(memory.Codes(kind), blocks, stride, (int)(Format.Kept.KindBytes[kind] / 16), Format.Shape.KeyHeads);
    }
}
