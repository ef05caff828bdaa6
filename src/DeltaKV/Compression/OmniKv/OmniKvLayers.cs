using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.OmniKv;

/// <summary>Everything is kept raw; in a step observation layers read it all and choose the tokens that the layers after them read. Prompts read everything unless told otherwise.</summary>
internal sealed class OmniKvLayers : IKvLayers<BFloat16>
{
    private readonly ITransformerKernels<BFloat16> kernels;
    private readonly OmniKvOptions options;
    private readonly RawKvLayers<BFloat16> raw;
    private readonly PartialRead read;
    private readonly TokenSelector selector;
    private readonly ScoreKernel<RawReader> score;
    private readonly ObservedDecode observed;
    private readonly ReaderPrefillKernel<RawReader> prefill;
    private readonly PromptSample sample;
    private readonly bool readsAll;
    private readonly int readTokens;

    /// <param name="stream">The stream all steps run on.</param>
    /// <param name="kernels">Attention over raw layers; not owned.</param>
    /// <param name="options">Who chooses and how much.</param>
    /// <param name="layerCount">Layers.</param>
    /// <param name="blockCount">Blocks of <see cref="KvBlockLayout.Size"/> tokens.</param>
    /// <param name="limits">The most sequences, new tokens and tokens of a sequence.</param>
    /// <param name="prefixCaching">Whether blocks outlive their sequence for prompts that begin alike.</param>
    internal OmniKvLayers(
        AcceleratorStream stream, ITransformerKernels<BFloat16> kernels, OmniKvOptions options, int layerCount, int blockCount, KvLimits limits, bool prefixCaching)
    {
        (this.kernels, this.options) = (kernels, options);
        raw = new RawKvLayers<BFloat16>(stream, kernels, layerCount, blockCount, limits.Sequences, prefixCaching);
        read = new PartialRead(stream.Accelerator, kernels.Shape, limits.Sequences, Math.Max(limits.Sequences, PromptSample.MaxQueries));
        selector = new TokenSelector(stream.Accelerator, kernels.Shape, options.Budget, options.PerHead, options.PrefillTokens, limits.Sequences, limits.SequenceTokens);
        score = new ScoreKernel<RawReader>(stream.Accelerator);
        observed = new ObservedDecode(stream.Accelerator, kernels.Shape, Math.Max(limits.Sequences, PromptSample.MaxQueries));
        prefill = new ReaderPrefillKernel<RawReader>(stream.Accelerator);
        sample = new PromptSample(stream.Accelerator, kernels, options.PrefillTokens, limits.StepTokens);
        readTokens = options.Budget.MaxTokens(limits.SequenceTokens) + options.Sinks + options.Recent;
        readsAll = options.Budget.Covers(limits.SequenceTokens);
    }

    public IKvCache Cache => raw.Cache;

    /// <summary>What is allocated besides blocks.</summary>
    internal static long FixedBytes(AttentionShape shape, OmniKvOptions options, KvLimits limits) =>
        PartialRead.Bytes(shape, Math.Max(limits.Sequences, PromptSample.MaxQueries)) + PromptSample.Bytes(shape, options.PrefillTokens, limits.StepTokens)
        + ObservedDecode.Bytes(shape, Math.Max(limits.Sequences, PromptSample.MaxQueries))
        + TokenSelector.Bytes(shape, options.Budget, options.PerHead, options.PrefillTokens, limits.Sequences, limits.SequenceTokens);

    public void Prepare(AcceleratorStream stream, ReadOnlySpan<SequenceStep> sequences)
    {
        raw.Prepare(stream, sequences);
        read.Upload(stream, sequences, step => new ReadBounds(options.Sinks, HistoryEnd(step)));
        sample.Prepare(stream, sequences, step => HistoryEnd(step) - options.Sinks);
    }

    public KvBlocks<BFloat16> Blocks(int layer) => raw.Blocks(layer);

    public void Attend(AcceleratorStream stream, int layer, ArrayView<BFloat16> qkv, in AttentionStep step, ArrayView<BFloat16> output)
    {
        var observes = options.Observers.Contains(layer);
        var follows = options.Selects(layer);
        var blocks = Blocks(layer);
        if (readsAll || (!observes && !follows))
        {
            kernels.DecodeAttention(stream, qkv, step.Rows, blocks, output, step.DecodeRows);
        }
        else if (observes)
        {
            var decode = read.Observed(blocks, qkv.Cast<uint>(), step.Rows, step.DecodeRows, output.Cast<BFloat16x2>(), selector);
            observed.Launch(stream, decode, kernels.Shape, step.DecodeRows);
            selector.Observe(stream, score, decode, step.DecodeRows);
        }
        else
        {
            read.Decode(stream, blocks, selector.Order(read.Bounds), readTokens, qkv.Cast<uint>(), step.Rows, step.DecodeRows, output.Cast<BFloat16x2>());
        }

        if (follows && sample.Chooses(step))
            prefill.Launch(stream, read.Prefill(blocks, selector.Order(read.Bounds), qkv, step, output), kernels.Shape, step.TileCount);
        else
            kernels.PrefillAttention(stream, qkv, step.Tiles, blocks, output, step.TileCount);
        if (observes && sample.Chooses(step))
        {
            var decode = read.Observed(blocks, sample.Gather(stream, qkv), sample.Rows, sample.Count, sample.Output, selector);
            observed.Launch(stream, decode, kernels.Shape, sample.Count);
            selector.ObservePrompt(stream, score, decode, sample.Count);
        }
    }

    public void Dispose()
    {
        raw.Dispose();
        read.Dispose();
        selector.Dispose();
        sample.Dispose();
        observed.Dispose();
    }

    /// <summary>Position after the last token that may be left out.</summary>
    private int HistoryEnd(SequenceStep step) => Math.Max(options.Sinks, (step.Cache.Length - options.Recent) / 16 * 16);
}
