using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Codes.Decoding;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Compression.Codes.Reading;
using DeltaKV.Compression.Codes.Hot;
using DeltaKV.Compression.Kivi;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;
using DeltaKV.Weights;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>
/// A cache whose layers stay raw, are coded or are quantised as in KIVI: sinks and window raw, history compressed, attention reconstructing as it reads. Which
/// codec a layer has is all that tells deltakv, a calibrated transform, rotated integers and the identity apart.
/// </summary>
internal sealed class CodedKvLayers : IKvLayers<BFloat16>, ICodedStore
{
    private const int WindowShift = 4;

    private readonly AcceleratorStream stream;
    private readonly ITransformerKernels<BFloat16> kernels;
    private readonly CodedKvFormat format;
    private readonly CodeTables? codes;
    private readonly CodedMemory memory;
    private readonly CodedTables tables;
    private readonly Compressor? compressor;
    private readonly KiviLayers? kivi;
    private readonly CodedAttention attention;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> inverseFrequencies;
    private readonly HotSet? hot;
    private readonly LatentDecode? decode;
    private readonly Reconstructor? reconstructor;
    private readonly DecodedRead? decoded;
    private readonly bool dependsOnLengths;
    private readonly ObservedDecode? decodeRaw;
    private readonly ScoreKernel<RawReader> scoreRaw;
    private readonly ReaderPrefillKernel<CodeReader> prefill;
    private readonly ReconstructKernel<CodeReader> reconstruct;
    private readonly CodePoolView pool;
    private readonly FirstLayerTable? firstLayer;

    /// <param name="stream">The stream all steps run on.</param>
    /// <param name="kernels">Attention over raw layers; not owned.</param>
    /// <param name="format">Layers, codecs, what stays raw.</param>
    /// <param name="capacity">Sizes of the pools.</param>
    /// <param name="rope">The model's rotary embedding.</param>
    /// <param name="limits">The most sequences, new tokens and tokens of a sequence.</param>
    /// <param name="prefixCaching">Whether finished sequences are kept for prompts that begin alike.</param>
    /// <param name="firstLayer">The first layer's kv of every token where it is recomputed; owned.</param>
    internal CodedKvLayers(
        AcceleratorStream stream,
        ITransformerKernels<BFloat16> kernels,
        CodedKvFormat format,
        CodedKvCapacity capacity,
        RopeParameters rope,
        KvLimits limits,
        bool prefixCaching,
        FirstLayerTable? firstLayer = null)
    {
        if (format.RecomputesFirstLayer != firstLayer is not null)
            throw new ArgumentException("A table of the first layer belongs to a format that recomputes it, and the other way round.", nameof(firstLayer));
        format.RequireRoom(limits);
        this.firstLayer = firstLayer;
        var accelerator = stream.Accelerator;
        (this.stream, this.kernels, this.format) = (stream, kernels, format);
        codes = format.Codecs.Count > 0 ? new CodeTables(accelerator, format.Codecs, format.RecomputesFirstLayer ? 0 : -1) : null;
        memory = new CodedMemory(accelerator, format, capacity);
        tables = new CodedTables(accelerator, format, limits.Sequences, limits.SequenceTokens);
        var flushTokens = limits.StepTokens + (limits.Sequences * format.CodeTokens);
        compressor = codes is null ? null : new Compressor(accelerator, format, codes, memory, flushTokens);
        kivi = format.HasKivi ? new KiviLayers(accelerator, format, memory.Kivi, tables.Kivi, tables.KiviStride, flushTokens) : null;
        reconstructor = format.HasHiddenDecoders ? new Reconstructor(accelerator, format, DecodingMemory.ListedTokens(format, limits)) : null;
        hot = format.HotBytes > 0 ? new HotSet(accelerator, format, limits, reconstructor) : null;
        attention = new CodedAttention(accelerator, kernels, format, tables, limits, hot);
        if (reconstructor is not null)
        {
            dependsOnLengths = Enumerable.Range(0, format.LayerCount).Any(layer => format.IsReconstructed(layer) && !format.IsHot(layer));
            decoded = new DecodedRead(accelerator, kernels, format, reconstructor, attention.Scratch.Plain, attention.Scratch.PlainTokens);
        }

        inverseFrequencies = accelerator.Allocate1D(RopeFrequencies.Inverse(rope, format.Shape.HeadDim));
        decode = codes is null
            ? null
            : new LatentDecode(accelerator, format.Shape, format.Codecs, codes, attention.DecodeRows, format.RecomputesFirstLayer ? 0 : -1);
        decodeRaw = format.ObservesRawLayers ? new ObservedDecode(accelerator, format.Shape, attention.DecodeRows) : null;
        scoreRaw = new ScoreKernel<RawReader>(accelerator);
        prefill = new ReaderPrefillKernel<CodeReader>(accelerator);
        reconstruct = new ReconstructKernel<CodeReader>(accelerator);
        pool = codes is null ? default : codes.View(inverseFrequencies.View, (float)rope.AttentionFactor) with
        {
            Records = memory.Records,
            BlockTables = tables.Codes,
            BlockStride = tables.CodeStride,
            References = memory.References,
            ReferenceNorms = memory.Norms,
            ReferenceTables = tables.References,
            ReferenceStride = tables.ReferenceStride,
            ReferenceBits = format.Options.ReferenceBits,
            ReferenceWords = format.ReferenceWords,
            TokenRows = firstLayer?.Rows ?? default,
            TokenIds = tables.Tokens,
            TokenStride = tables.TokenStride,
        };
        Cache = new CodedKvCache(format, capacity, this, prefixCaching);
    }

    public IKvCache Cache { get; }

    /// <summary>The hot set's launches are the same at all lengths, those of layers that are reconstructed for a step are not.</summary>
    public int Variant => dependsOnLengths ? decoded!.Variant : 0;

    /// <summary>Reconstructed tokens that are kept; null: none.</summary>
    internal HotSet? Hot => hot;

    /// <summary>Raw blocks of the compressed layers from one on.</summary>
    private KvBlocks<BFloat16> Window(int first) => new(
        memory.WindowKeys.SubView(first * memory.WindowLayerElements),
        memory.WindowValues.SubView(first * memory.WindowLayerElements),
        tables.Window,
        tables.WindowStride,
        WindowShift);

    public void Prepare(AcceleratorStream stream, ReadOnlySpan<SequenceStep> sequences)
    {
        foreach (var sequence in ((CodedKvCache)Cache).Admitted)
            sequence.Row = -1;
        tables.Upload(stream, sequences);
        hot?.Prepare(stream, sequences);
        decoded?.Prepare(sequences);
        attention.Prepare(stream, sequences);
    }

    public KvBlocks<BFloat16> Blocks(int layer)
    {
        var raw = format.RawLayer[layer];
        if (raw >= 0)
            return new(memory.FullPart(2 * raw), memory.FullPart((2 * raw) + 1), tables.Full, tables.FullStride);
        var first = format.WindowLayer[layer] * memory.WindowLayerElements;
        return new(
            memory.WindowKeys.SubView(first, memory.WindowLayerElements),
            memory.WindowValues.SubView(first, memory.WindowLayerElements),
            tables.Window,
            tables.WindowStride,
            WindowShift);
    }

    public void Attend(AcceleratorStream stream, int layer, ArrayView<BFloat16> qkv, in AttentionStep step, ArrayView<BFloat16> output)
    {
        var blocks = Blocks(layer);
        var raw = blocks.Eights();
        if (format.RawLayer[layer] >= 0)
        {
            var rawReader = new RawReader(raw, format.Shape.KeyHeads);
            if (attention.Observes(layer))
                attention.Decode(stream, layer, decodeRaw!, scoreRaw, rawReader, attention.Everything(layer), qkv, step, output);
            else
                kernels.DecodeAttention(stream, qkv, step.Rows, blocks, output, step.DecodeRows);
            kernels.PrefillAttention(stream, qkv, step.Tiles, blocks, output, step.TileCount);
            if (format.Observers.Contains(layer))
                attention.ObservePrompt(stream, layer, decodeRaw!, scoreRaw, rawReader, qkv, step);
            return;
        }

        var order = attention.Order(layer);
        var promptOrder = attention.PromptOrder(layer, step);
        if (format.KiviLayer[layer] >= 0)
        {
            var quantised = kivi!.Reader(format.KiviLayer[layer], raw);
            attention.Decode(stream, layer, order.SelectedCounts.Length > 0 ? kivi.DecodeSelected : kivi.DecodeAll, kivi.Score, quantised, order, qkv, step, output);
            attention.Prefill(stream, kivi.Prefill, kivi.Reconstruct, quantised, promptOrder, qkv, step, output);
            attention.ObservePrompt(stream, layer, kivi.DecodeAll, kivi.Score, quantised, qkv, step);
            return;
        }

        var reader = new CodeReader(pool, raw, format.CodedLayer[layer]);
        if (format.IsReconstructed(layer))
        {
            attention.Decode(stream, layer, format.IsHot(layer) ? hot! : decoded!, decoded!, reader, order, qkv, step, output);
            decoded!.Prefill(stream, reader, promptOrder, attention.LeftOut(promptOrder), attention.ChosenTiles, qkv, step, output);
            attention.ObservePrompt(stream, layer, decoded.OfPrompt, decoded.OfPrompt, reader, qkv, step);
            return;
        }

        attention.Decode(stream, layer, format.IsHot(layer) ? hot! : decode!, decode!, reader, order, qkv, step, output);
        attention.Prefill(stream, prefill, reconstruct, reader, promptOrder, qkv, step, output);
        attention.ObservePrompt(stream, layer, decode!, decode!, reader, qkv, step);
    }

    public void CopyFull(int source, int target) => memory.CopyFull(stream, source, target);

    public void CopyWindow(int source, int target) => memory.CopyWindow(stream, source, target);

    public void CopyReferences(int source, int target) => memory.CopyReferences(stream, source, target);

    public void Compress(IReadOnlyList<FlushItem> items)
    {
        compressor?.Run(stream, items, pool, Window(0), memory.WindowLayerElements);
        kivi?.Compress(stream, items, Window(format.Codecs.Count), memory.WindowLayerElements);
    }

    public void Dispose()
    {
        codes?.Dispose();
        memory.Dispose();
        tables.Dispose();
        compressor?.Dispose();
        kivi?.Dispose();
        decode?.Dispose();
        decoded?.Dispose();
        reconstructor?.Dispose();
        decodeRaw?.Dispose();
        attention.Dispose();
        hot?.Dispose();
        inverseFrequencies.Dispose();
        firstLayer?.Dispose();
    }
}
