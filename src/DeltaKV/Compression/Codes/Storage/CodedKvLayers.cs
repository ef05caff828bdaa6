using System.Numerics;
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

    // From this many query tiles on, reconstructing once for all of them beats doing it in each.
    private const int TilesWorthScratch = 2;

    private readonly AcceleratorStream stream;
    private readonly ITransformerKernels<BFloat16> kernels;
    private readonly CodedKvFormat format;
    private readonly CodeTables? codes;
    private readonly CodedMemory memory;
    private readonly CodedTables tables;
    private readonly Compressor? compressor;
    private readonly KiviLayers? kivi;
    private readonly ReadScratch scratch;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> inverseFrequencies;
    private readonly TokenSelector? selector;
    private readonly PromptSample sample;
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
    private (int Sequence, int Length, int Tiles) onlyPrompt;

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
        if (format.ReferencesBelow(limits.SequenceTokens) > CodedKvFormat.ReferenceIds)
        {
            throw new NotSupportedException(
                $"A sequence of {limits.SequenceTokens} tokens has {format.ReferencesBelow(limits.SequenceTokens)} references; ids hold {CodedKvFormat.ReferenceIds}. Use a larger stride.");
        }

        if (format.HotBytes > 0 && (format.Options.SelectsPerHead || format.Options.Selection.MaxTokens(limits.SequenceTokens) > format.Options.HotTokens))
        {
            throw new NotSupportedException(
                $"A hot set of {format.Options.HotTokens} tokens needs one selection for all heads and no more tokens than that; up to {format.Options.Selection.MaxTokens(limits.SequenceTokens)} are selected"
                + (format.Options.SelectsPerHead ? " by each head. Use heads=shared." : ". Use a larger hot set or a smaller budget."));
        }

        this.firstLayer = firstLayer;
        var accelerator = stream.Accelerator;
        (this.stream, this.kernels, this.format) = (stream, kernels, format);
        codes = format.Codecs.Count > 0 ? new CodeTables(accelerator, format.Codecs, format.RecomputesFirstLayer ? 0 : -1) : null;
        memory = new CodedMemory(accelerator, format, capacity);
        tables = new CodedTables(accelerator, format, limits.Sequences, limits.SequenceTokens);
        var flushTokens = limits.StepTokens + (limits.Sequences * format.CodeTokens);
        compressor = codes is null ? null : new Compressor(accelerator, format, codes, memory, flushTokens);
        kivi = format.HasKivi ? new KiviLayers(accelerator, format, memory.Kivi, tables.Kivi, tables.KiviStride, flushTokens) : null;
        var decodeRows = format.Options.PrefillTokens > 0 ? Math.Max(limits.Sequences, PromptSample.MaxQueries) : limits.Sequences;
        scratch = new ReadScratch(
            accelerator, format.Shape, limits, decodeRows, format.HasHiddenDecoders ? DecodedRead.Slots(format, limits.SequenceTokens) : 0);
        sample = new PromptSample(accelerator, kernels, format.Observers.Count > 0 ? format.Options.PrefillTokens : 0, limits.StepTokens);
        inverseFrequencies = accelerator.Allocate1D(RopeFrequencies.Inverse(rope, format.Shape.HeadDim));
        selector = format.Observers.Count == 0
            ? null
            : new TokenSelector(
                accelerator, format.Shape, format.Options.Selection, format.Options.SelectsPerHead, format.Options.PrefillTokens, limits.Sequences, limits.SequenceTokens);
        decode = codes is null
            ? null
            : new LatentDecode(accelerator, format.Shape, format.Codecs, codes, decodeRows, format.RecomputesFirstLayer ? 0 : -1);
        if (format.HasHiddenDecoders)
        {
            reconstructor = new Reconstructor(accelerator, format, DecodingMemory.ListedTokens(format, limits));
            dependsOnLengths = Enumerable.Range(0, format.LayerCount).Any(layer => format.IsReconstructed(layer) && !format.IsHot(layer));
            decoded = new DecodedRead(accelerator, kernels, format, reconstructor, scratch.Plain, scratch.PlainTokens);
        }

        hot = format.HotBytes > 0 ? new HotSet(accelerator, format, limits, reconstructor) : null;
        decodeRaw = format.ObservesRawLayers ? new ObservedDecode(accelerator, format.Shape, decodeRows) : null;
        scoreRaw = new ScoreKernel<RawReader>(accelerator);
        prefill = new ReaderPrefillKernel<CodeReader>(accelerator);
        reconstruct = new ReconstructKernel<CodeReader>(accelerator);
        pool = codes is null ? default : new CodePoolView
        {
            Records = memory.Records,
            BlockTables = tables.Codes,
            BlockStride = tables.CodeStride,
            BlockWords = codes.BlockWords,
            References = memory.References,
            ReferenceNorms = memory.Norms,
            ReferenceTables = tables.References,
            ReferenceStride = tables.ReferenceStride,
            ReferenceBits = format.Options.ReferenceBits,
            ReferenceWords = format.ReferenceWords,
            Layers = format.Codecs.Count,
            ReferenceLayers = format.ReferenceLayers,
            TokenRows = firstLayer?.Rows ?? default,
            TokenIds = tables.Tokens,
            TokenStride = tables.TokenStride,
            KeyHeads = format.Shape.KeyHeads,
            LayerCodes = codes.LayerCodes,
            PartCodes = codes.PartCodes,
            Up = codes.Up,
            Mean = codes.Mean.Cast<Float2>(),
            InverseFrequencies = inverseFrequencies.View,
            RopeScale = (float)rope.AttentionFactor,
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
        // Prompts come last; reconstructing them into scratch is for a single one.
        onlyPrompt = default;
        for (var i = 0; i < sequences.Length; i++)
        {
            if (sequences[i].Rows > 1)
                onlyPrompt = (i, sequences[i].Cache.Length + sequences[i].Rows, PrefillTile.CountOf(sequences[i].Rows));
        }

        sample.Prepare(stream, sequences, step => ((CodedSequence)step.Cache).CodedEnd - ((CodedSequence)step.Cache).CodedStart);
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
        var raw = new KvBlocks<BFloat16x8>(blocks.Keys.Cast<BFloat16x8>(), blocks.Values.Cast<BFloat16x8>(), blocks.Tables, blocks.TableStride, blocks.BlockShift);
        var windowHeads = format.WindowHeads(layer);
        var everything = new TokenOrder(tables.Bounds, default, default, 0, windowHeads: windowHeads);
        if (format.RawLayer[layer] >= 0)
        {
            var rawReader = new RawReader(raw, format.Shape.KeyHeads);
            if (Observes(layer))
                Decode(stream, layer, decodeRaw!, scoreRaw, rawReader, everything, qkv, step, output);
            else
                kernels.DecodeAttention(stream, qkv, step.Rows, blocks, output, step.DecodeRows);
            kernels.PrefillAttention(stream, qkv, step.Tiles, blocks, output, step.TileCount);
            if (format.Observers.Contains(layer))
                ObservePrompt(stream, layer, decodeRaw!, scoreRaw, rawReader, everything, qkv, step);
            return;
        }

        // Observation layers read everything, and so do the layers before the first.
        var follows = selector is not null && !format.Observers.Contains(layer) && format.Observers.Any(observer => observer < layer);
        var selects = follows && format.Options.Selection.Selects;
        var order = selects ? selector!.Order(tables.Bounds).WithWindowHeads(windowHeads) : everything;
        var promptOrder = follows && sample.Chooses(step) ? selector!.Order(tables.Bounds).WithWindowHeads(windowHeads) : everything;
        if (format.KiviLayer[layer] >= 0)
        {
            var quantised = kivi!.Reader(format.KiviLayer[layer], raw);
            Decode(stream, layer, selects ? kivi.DecodeSelected : kivi.DecodeAll, kivi.Score, quantised, order, qkv, step, output);
            Prefill(stream, kivi.Prefill, kivi.Reconstruct, quantised, promptOrder, qkv, step, output);
            ObservePrompt(stream, layer, kivi.DecodeAll, kivi.Score, quantised, everything, qkv, step);
            return;
        }

        var reader = new CodeReader(pool, raw, format.CodedLayer[layer]);
        if (format.IsReconstructed(layer))
        {
            Decode(stream, layer, format.IsHot(layer) ? hot! : decoded!, decoded!, reader, order, qkv, step, output);
            decoded!.Prefill(stream, reader, promptOrder, promptOrder.SelectedCounts.Length > 0 ? sample.LeftOut : 0, sample.Tiles, qkv, step, output);
            ObservePrompt(stream, layer, decoded.OfPrompt, decoded.OfPrompt, reader, everything, qkv, step);
            return;
        }

        Decode(stream, layer, format.IsHot(layer) ? hot! : decode!, decode!, reader, order, qkv, step, output);
        Prefill(stream, prefill, reconstruct, reader, promptOrder, qkv, step, output);
        ObservePrompt(stream, layer, decode!, decode!, reader, everything, qkv, step);
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
        scratch.Dispose();
        selector?.Dispose();
        sample.Dispose();
        hot?.Dispose();
        inverseFrequencies.Dispose();
        firstLayer?.Dispose();
    }

    private void Decode<TReader>(
        AcceleratorStream stream,
        int layer,
        IDecodeKernel<TReader> kernel,
        IScoreKernel<TReader> scoring,
        TReader reader,
        TokenOrder order,
        ArrayView<BFloat16> qkv,
        in AttentionStep step,
        ArrayView<BFloat16> output)
        where TReader : unmanaged, IKvReader<TReader>
    {
        var observes = Observes(layer);
        var arguments = new DecodeArguments<TReader>
        {
            Reader = reader,
            Rows = step.Rows,
            Order = order,
            Qkv = qkv.Cast<uint>(),
            Output = output.Cast<BFloat16x2>(),
            PartialOutput = scratch.PartialOutput,
            PartialSoftmax = scratch.PartialSoftmax,
            LogSumExp = observes ? selector!.LogSumExp : default,
            Logits = observes && kernel.KeepsLogits(reader) ? selector!.Logits(step.DecodeRows) : default,
            Splits = DecodeSplits(step.DecodeRows),
        };
        kernel.Launch(stream, arguments, format.Shape, step.DecodeRows);
        if (!observes)
            return;
        selector!.Observe(stream, scoring, arguments, step.DecodeRows);
        hot?.Plan(stream, layer, step.Rows, selector.Order(tables.Bounds), step.DecodeRows);
    }

    /// <summary>Whether a layer selects for decoding rows.</summary>
    private bool Observes(int layer) => format.Options.Selection.Selects && format.Observers.Contains(layer);

    /// <summary>Lets some queries of the prompt select for the layers after this one, if it is an observation layer.</summary>
    private void ObservePrompt<TReader>(
        AcceleratorStream stream,
        int layer,
        IDecodeKernel<TReader> kernel,
        IScoreKernel<TReader> scoring,
        TReader reader,
        TokenOrder everything,
        ArrayView<BFloat16> qkv,
        in AttentionStep step)
        where TReader : unmanaged, IKvReader<TReader>
    {
        if (!sample.Chooses(step) || !format.Observers.Contains(layer))
            return;
        var arguments = new DecodeArguments<TReader>
        {
            Reader = reader,
            Rows = sample.Rows,
            Order = everything,
            Qkv = sample.Gather(stream, qkv),
            Output = sample.Output,
            PartialOutput = scratch.PartialOutput,
            PartialSoftmax = scratch.PartialSoftmax,
            LogSumExp = selector!.LogSumExp,
            Logits = kernel.KeepsLogits(reader) ? selector.Logits(sample.Count) : default,
            Splits = DecodeSplits(sample.Count),
        };
        kernel.Launch(stream, arguments, format.Shape, sample.Count);
        selector.ObservePrompt(stream, scoring, arguments, sample.Count);
    }

    private void Prefill<TReader>(
        AcceleratorStream stream,
        ReaderPrefillKernel<TReader> fused,
        ReconstructKernel<TReader> reconstruction,
        TReader reader,
        TokenOrder order,
        ArrayView<BFloat16> qkv,
        in AttentionStep step,
        ArrayView<BFloat16> output)
        where TReader : unmanaged, IKvReader<TReader>
    {
        var leftOut = order.SelectedCounts.Length > 0 ? sample.LeftOut : 0;
        // All tiles of the step are the prompt's, or it is not the only one. A layer without history has nothing to reconstruct.
        var isReconstructed = false;
        if (step.TileCount >= TilesWorthScratch
            && step.TileCount == onlyPrompt.Tiles
            && BitOperations.PopCount(order.WindowHeads) < format.Shape.KeyHeads
            && scratch.TryReconstruct(stream, reconstruction, reader, order, onlyPrompt.Sequence, onlyPrompt.Length, leftOut, out var plain))
        {
            kernels.PrefillAttention(stream, qkv, leftOut > 0 ? sample.Tiles : step.Tiles, plain, output, step.TileCount);
            if (order.WindowHeads == 0)
                return;
            // Plain blocks are alike for all heads: those that keep no history attend once more, to what they keep.
            isReconstructed = true;
        }

        fused.Launch(
            stream,
            new PrefillReadArguments<TReader>
            {
                Reader = reader,
                Tiles = step.Tiles,
                Order = order,
                Qkv = qkv.Cast<uint>(),
                Output = output.Cast<BFloat16x2>(),
                WindowHeadsOnly = isReconstructed ? 1 : 0,
            },
            format.Shape,
            step.TileCount);
    }

    private int DecodeSplits(int rows) => ReadScratch.Splits(stream.Accelerator, format.Shape, rows);
}
