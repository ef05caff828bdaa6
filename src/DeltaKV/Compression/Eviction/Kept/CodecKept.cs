using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Compression.Codes.Reading;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Weights;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>
/// Kept tokens as records of linear codecs. A record holds, part by part, whatever token every head has at its slot, and keys are turned back by the slot, and by as much again when they are read; or,
/// where heads share their tokens, one token, whose position is stored and is what its key is turned by.
/// </summary>
internal sealed class CodecKept : KeptCode<CodeReader>
{
    private const long WorkspaceBytes = 8 << 20;
    private const int ItemTokens = CodedKvFormat.BlockTokens;

    private readonly KeptTables tables;
    private readonly KeptMemory memory;
    private readonly CodeTables codes;
    private readonly LatentDecode decode;
    private readonly FirstLayerTable? firstLayer;
    private readonly CodePoolView pool;
    private readonly GatherKernel gather;
    private readonly EncodeKernel encode;
    private readonly int itemsPerPass;
    private readonly MemoryBuffer1D<FlushItem, Stride1D.Dense> items;
    private readonly MemoryBuffer1D<uint, Stride1D.Dense> rows;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> inverseFrequencies;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="format">What is stored.</param>
    /// <param name="scratch">Room to work in; not owned.</param>
    /// <param name="tables">Maps of a step; not owned.</param>
    /// <param name="memory">Coded blocks; not owned.</param>
    /// <param name="limits">The most sequences and tokens of one.</param>
    /// <param name="model">Rotations, and the first layer.</param>
    internal CodecKept(
        Accelerator accelerator, EvictionFormat format, ReadScratch scratch, KeptTables tables, KeptMemory memory, KvLimits limits, KeptModel model)
        : base(format, scratch, new ReaderPrefillKernel<CodeReader>(accelerator), new ReconstructKernel<CodeReader>(accelerator))
    {
        (this.tables, this.memory, firstLayer) = (tables, memory, model.FirstLayer);
        var code = format.Kept!.Code;
        var recomputed = code.RecomputesFirstLayer ? 0 : -1;
        codes = new CodeTables(accelerator, code.Codecs, recomputed, isApart: true);
        decode = new LatentDecode(accelerator, format.Shape, code.Codecs, codes, limits.Sequences, recomputed);
        gather = new GatherKernel(accelerator);
        encode = new EncodeKernel(accelerator);
        itemsPerPass = ItemsPerPass(format, limits);
        items = accelerator.Allocate1D(Enumerable.Range(0, MaxItems(limits)).Select(i => new FlushItem(0, ItemTokens * i)).ToArray());
        rows = accelerator.Allocate1D<uint>((long)itemsPerPass * ItemTokens * codes.Width / 2);
        inverseFrequencies = accelerator.Allocate1D(RopeFrequencies.Inverse(model.Rope, format.Shape.HeadDim));
        pool = codes.View(inverseFrequencies.View, (float)model.Rope.AttentionFactor) with
        {
            ReferenceBits = 16,
            Layers = 1,
            TokenRows = firstLayer?.Rows ?? default,
            TokenIds = tables.Tokens,
            TokenStride = tables.TokenStride,
        };
    }

    /// <summary>Whether tokens of the last prepared step were moved whose keys are turned by their positions. Where none was, slots are positions, and neighbours are turned together.</summary>
    internal bool HasMoved { get; set; }

    /// <inheritdoc/>
    protected override IDecodeKernel<CodeReader> DecodeKernel => decode;

    /// <summary>Bytes of its own, matrices excepted.</summary>
    internal static long Bytes(EvictionFormat format, KvLimits limits) => LatentDecode.WorkBytes(format.Shape, limits.Sequences, format.Shape.KeyHeads)
        + ((long)ItemsPerPass(format, limits) * ItemTokens * format.TokenBytes) + (MaxItems(limits) * (long)ArrayView<FlushItem>.ElementSize);

    /// <inheritdoc/>
    public override void Encode(AcceleratorStream stream, int layer, KeptSource source, KeptTarget target)
    {
        var number = Format.Kept!.Code.CodedLayer[layer];
        var parts = 2 * Format.Shape.KeyHeads;
        var flush = new FlushView
        {
            Pool = Pool(layer, target.Blocks, 0) with
            {
                LayerCodes = codes.LayerCodes.SubView(number, 1), PartCodes = codes.PartCodes.SubView(number * parts, parts),
            },
            Units = codes.Units,
            Down = codes.Down,
            Center = codes.Center.SubView((long)number * codes.Width, codes.Width),
            Rows = rows.View,
            Splits = 1,
            HeadDim = Format.Shape.HeadDim,
        };
        for (var done = 0; done < target.Count; done += itemsPerPass * ItemTokens)
        {
            flush.ItemCount = Math.Min(itemsPerPass, (target.Count - done) / ItemTokens);
            flush.Items = items.View.BaseView.SubView((target.First + done) / ItemTokens, flush.ItemCount);
            gather.Launch(stream, flush, source.Raw, 0, source.Lists, source.ListStride, target.Origin, source.Positions, source.FirstPosition);
            encode.Launch(stream, flush);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        decode.Dispose();
        codes.Dispose();
        items.Dispose();
        rows.Dispose();
        inverseFrequencies.Dispose();
        firstLayer?.Dispose();
    }

    /// <inheritdoc/>
    protected override CodeReader Reader(int layer, KvBlocks<BFloat16x8> raw)
    {
        var all = Pool(layer, tables.Blocks(layer), tables.RowEntries);
        return new(HasMoved ? all : all with { Positions = default }, raw, Format.Kept!.Code.CodedLayer[layer]);
    }

    private CodePoolView Pool(int layer, ArrayView<int> blocks, int stride) => pool with
    {
        Records = memory.Codes(Format.Kept!.Kinds[layer]).Cast<uint>(),
        Positions = Format.Kept.HasPositions ? memory.Positions(Format.Kept.Kinds[layer]) : default,
        BlockTables = blocks,
        BlockStride = stride,
        BlockWords = ItemTokens * codes.Layers[Format.Kept.Code.CodedLayer[layer]].RecordWords,
    };

    private static int MaxItems(KvLimits limits) => CodedKvFormat.Blocks(limits.SequenceTokens, ItemTokens);

    private static int ItemsPerPass(EvictionFormat format, KvLimits limits) => (int)Math.Clamp(WorkspaceBytes / (ItemTokens * (long)format.TokenBytes), 4, Math.Max(MaxItems(limits), 4));
}
