using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.OmniKv;

/// <summary>Everything is kept raw; in a decode step observation layers read it all and choose the tokens that the layers after them read. Prompts read everything.</summary>
internal sealed class OmniKvLayers : IKvLayers<BFloat16>
{
    private readonly ITransformerKernels<BFloat16> kernels;
    private readonly OmniKvOptions options;
    private readonly RawKvLayers<BFloat16> raw;
    private readonly PartialRead read;
    private readonly TokenSelector selector;
    private readonly ScoreKernel<RawReader> score;
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
        read = new PartialRead(stream.Accelerator, kernels.Shape, limits.Sequences);
        selector = new TokenSelector(stream.Accelerator, kernels.Shape, options.Budget, options.PerHead, limits.Sequences, limits.SequenceTokens);
        score = new ScoreKernel<RawReader>(stream.Accelerator);
        readTokens = options.Budget.MaxTokens(limits.SequenceTokens) + options.Sinks + options.Recent;
        readsAll = options.Budget.Covers(limits.SequenceTokens);
    }

    public IKvCache Cache => raw.Cache;

    /// <summary>What is allocated besides blocks.</summary>
    internal static long FixedBytes(AttentionShape shape, OmniKvOptions options, KvLimits limits) =>
        PartialRead.Bytes(shape, limits.Sequences) + TokenSelector.Bytes(shape, options.Budget, options.PerHead, limits.Sequences, limits.SequenceTokens);

    public void Prepare(AcceleratorStream stream, ReadOnlySpan<SequenceStep> sequences)
    {
        raw.Prepare(stream, sequences);
        read.Upload(stream, sequences, step => new ReadBounds(options.Sinks, Math.Max(options.Sinks, (step.Cache.Length - options.Recent) / 16 * 16)));
    }

    public KvBlocks<BFloat16> Blocks(int layer) => raw.Blocks(layer);

    public void Attend(AcceleratorStream stream, int layer, ArrayView<BFloat16> qkv, in AttentionStep step, ArrayView<BFloat16> output)
    {
        var observes = options.Observers.Contains(layer);
        if (readsAll || (!observes && !options.Selects(layer)))
        {
            raw.Attend(stream, layer, qkv, step, output);
            return;
        }

        var order = observes ? read.Everything : selector.Order(read.Bounds);
        var decode = read.Decode(stream, Blocks(layer), order, observes ? int.MaxValue : readTokens, qkv, step, output, observes ? selector.LogSumExp : default);
        if (observes)
            selector.Observe(stream, score, decode, step.DecodeRows);
        kernels.PrefillAttention(stream, qkv, step.Tiles, Blocks(layer), output, step.TileCount);
    }

    public void Dispose()
    {
        raw.Dispose();
        read.Dispose();
        selector.Dispose();
    }
}
