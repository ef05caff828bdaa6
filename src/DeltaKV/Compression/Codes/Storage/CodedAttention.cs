using System.Numerics;
using System.Runtime.InteropServices;
using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Codes.Decoding;
using DeltaKV.Compression.Codes.Hot;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>What attention over the layers of a coded cache has in common, however they are stored: which tokens a layer reads, and what an observation layer selects, for decoding rows and for a prompt.</summary>
internal sealed class CodedAttention : IDisposable
{
    private readonly ITransformerKernels<BFloat16> kernels;
    private readonly CodedKvFormat format;
    private readonly CodedTables tables;
    private readonly HotSet? hot;
    private readonly PlainAttention plain;
    private readonly TokenSelector? selector;
    private readonly PromptSample sample;
    private readonly List<PromptSpan> prompts = [];

    /// <param name="accelerator">Where it is.</param>
    /// <param name="kernels">Attention over raw layers; not owned.</param>
    /// <param name="format">Layers, codecs, what stays raw.</param>
    /// <param name="tables">The token maps of a step; not owned.</param>
    /// <param name="limits">The most sequences, new tokens and tokens of a sequence.</param>
    /// <param name="hot">Plans from what is selected; not owned.</param>
    internal CodedAttention(Accelerator accelerator, ITransformerKernels<BFloat16> kernels, CodedKvFormat format, CodedTables tables, KvLimits limits, HotSet? hot)
    {
        (this.kernels, this.format, this.tables, this.hot) = (kernels, format, tables, hot);
        var options = format.Options;
        DecodeRows = format.DecodeRows(limits);
        Scratch = new ReadScratch(accelerator, format.Shape, limits, DecodeRows, format.HasHiddenDecoders ? DecodedRead.Slots(format, limits.SequenceTokens) : 0);
        plain = new PlainAttention(accelerator, format.Shape, limits, Scratch);
        sample = new PromptSample(accelerator, kernels, format.Observers.Count > 0 ? options.PrefillTokens : 0, limits.StepTokens);
        selector = format.Observers.Count == 0
            ? null
            : new TokenSelector(accelerator, format.Shape, options.Selection, options.SelectsPerHead, options.PrefillTokens, limits.Sequences, limits.SequenceTokens);
    }

    /// <summary>The most rows of a decode: sequences, or queries of a prompt.</summary>
    internal int DecodeRows { get; }

    /// <summary>Room to work in.</summary>
    internal ReadScratch Scratch { get; }

    /// <summary>The only prompt's tiles in a history without what is left out.</summary>
    internal ArrayView<PrefillTile> ChosenTiles => sample.Tiles;

    /// <summary>Looks at a step's prompts.</summary>
    internal void Prepare(AcceleratorStream stream, ReadOnlySpan<SequenceStep> sequences)
    {
        PromptSpan.Find(sequences, prompts);
        sample.Prepare(stream, sequences, step => ((CodedSequence)step.Cache).CodedEnd - ((CodedSequence)step.Cache).CodedStart);
    }

    /// <summary>Whether a layer selects for decoding rows.</summary>
    internal bool Observes(int layer) => format.Options.Selection.Selects && format.Observers.Contains(layer);

    /// <summary>All tokens of a layer.</summary>
    internal TokenOrder Everything(int layer) => new(tables.Bounds, default, default, 0, windowHeads: format.WindowHeads(layer));

    /// <summary>Tokens that decoding rows read.</summary>
    internal TokenOrder Order(int layer) => Follows(layer) && format.Options.Selection.Selects ? Selected(layer) : Everything(layer);

    /// <summary>Tokens that prompts read.</summary>
    internal TokenOrder PromptOrder(int layer, in AttentionStep step) => Follows(layer) && sample.Chooses(step) ? Selected(layer) : Everything(layer);

    /// <summary>How many tokens the only prompt leaves out of what it reads.</summary>
    internal int LeftOut(TokenOrder promptOrder) => promptOrder.SelectedCounts.Length > 0 ? sample.LeftOut : 0;

    /// <summary>Attention of decoding rows, which select for the layers after this one if it is an observation layer.</summary>
    internal void Decode<TReader>(
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
        var arguments = Scratch.Arguments(reader, step.Rows, order, qkv.Cast<uint>(), output.Cast<BFloat16x2>(), step.DecodeRows);
        if (observes)
            arguments = Observed(arguments, kernel, step.DecodeRows);
        kernel.Launch(stream, arguments, format.Shape, step.DecodeRows);
        if (!observes)
            return;
        selector!.Observe(stream, scoring, arguments, step.DecodeRows);
        hot?.Plan(stream, layer, step.Rows, selector.Order(tables.Bounds), step.DecodeRows);
    }

    /// <summary>Lets some queries of the prompt select for the layers after this one, if it is an observation layer.</summary>
    internal void ObservePrompt<TReader>(
        AcceleratorStream stream,
        int layer,
        IDecodeKernel<TReader> kernel,
        IScoreKernel<TReader> scoring,
        TReader reader,
        ArrayView<BFloat16> qkv,
        in AttentionStep step)
        where TReader : unmanaged, IKvReader<TReader>
    {
        if (!sample.Chooses(step) || !format.Observers.Contains(layer))
            return;
        var arguments = Observed(
            Scratch.Arguments(reader, sample.Rows, Everything(layer), sample.Gather(stream, qkv), sample.Output, sample.Count), kernel, sample.Count);
        kernel.Launch(stream, arguments, format.Shape, sample.Count);
        selector!.ObservePrompt(stream, scoring, arguments, sample.Count);
    }

    /// <summary>Attention of prompts.</summary>
    internal void Prefill<TReader>(
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
        var leftOut = LeftOut(order);
        foreach (var prompt in CollectionsMarshal.AsSpan(prompts))
        {
            var tiles = step.Tiles.SubView(prompt.FirstTile, prompt.Tiles);
            // A layer without history has nothing to reconstruct.
            var isPlain = plain.IsWorthIt(prompt.Tiles) && BitOperations.PopCount(order.WindowHeads) < format.Shape.KeyHeads;
            if (isPlain)
                plain.Launch(stream, reconstruction, reader, order, prompt, leftOut, leftOut > 0 ? sample.Tiles : tiles, qkv, output);
            if (isPlain && order.WindowHeads == 0)
                continue;
            fused.Launch(
                stream,
                new PrefillReadArguments<TReader>
                {
                    Reader = reader,
                    Tiles = tiles,
                    Order = order,
                    Qkv = qkv.Cast<uint>(),
                    Output = output.Cast<BFloat16x2>(),
                    // Plain blocks are alike for all heads: those that keep no history attend once more, to what they keep.
                    WindowHeadsOnly = isPlain ? 1 : 0,
                },
                format.Shape,
                prompt.Tiles);
        }
    }

    public void Dispose()
    {
        plain.Dispose();
        Scratch.Dispose();
        selector?.Dispose();
        sample.Dispose();
    }

    /// <summary>Whether a layer reads what an observation layer selects: those read everything, and so do the layers before the first.</summary>
    private bool Follows(int layer) => !format.Observers.Contains(layer) && format.Observers.Any(observer => observer < layer);

    private TokenOrder Selected(int layer) => selector!.Order(tables.Bounds).WithWindowHeads(format.WindowHeads(layer));

    /// <summary>The same attention with what a selection needs left behind.</summary>
    private DecodeArguments<TReader> Observed<TReader>(DecodeArguments<TReader> arguments, IDecodeKernel<TReader> kernel, int rows)
        where TReader : unmanaged => arguments with
        {
            LogSumExp = selector!.LogSumExp,
            Logits = kernel.KeepsLogits(arguments.Reader) ? selector.Logits(rows) : default,
        };
}
