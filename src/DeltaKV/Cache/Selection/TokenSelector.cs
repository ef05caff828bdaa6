using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Selection;

/// <summary>Owns the scores and lists of selected tokens; observation layers fill them, the layers after them read.</summary>
internal sealed class TokenSelector : IDisposable
{
    // Scores of more rows are computed by reading keys again.
    private const long MaxLogitBytes = 256L << 20;

    private readonly SelectionBudget budget;
    private readonly SelectionBudget prefill;
    private readonly AttentionShape shape;
    private readonly ArrayView<float> logSumExp;
    private readonly ArrayView<float> scores;
    private readonly ArrayView<uint> logits;
    private readonly ArrayView<int> lists;
    private readonly ArrayView<int> counts;
    private readonly DeviceBuffers buffers;
    private readonly TopCandidates candidates;
    private readonly TopTokensKernel top;
    private readonly LargestScoresKernel largest;
    private readonly LogitScores fromLogits;
    private readonly int heads;
    private readonly int scoreStride;
    private readonly int listStride;

    /// <param name="accelerator">Where it is.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="budget">How much is selected.</param>
    /// <param name="perHead">Whether every key/value head has a list of its own, chosen by its query heads; otherwise all heads share one.</param>
    /// <param name="prefillTokens">Tokens that are selected for prompt chunks; 0: these read everything.</param>
    /// <param name="sequences">Rows of a step.</param>
    /// <param name="sequenceTokens">Tokens of a sequence.</param>
    internal TokenSelector(
        Accelerator accelerator, AttentionShape shape, SelectionBudget budget, bool perHead, int prefillTokens, int sequences, int sequenceTokens)
    {
        (this.budget, prefill, this.shape) = (budget, new SelectionBudget(prefillTokens, 0), shape);
        var rows = PromptSample.DecodeRows(prefillTokens, sequences);
        heads = perHead ? shape.KeyHeads : 1;
        scoreStride = sequenceTokens;
        listStride = ListStride(budget, prefillTokens, sequenceTokens);
        buffers = new DeviceBuffers(accelerator);
        logSumExp = buffers.Allocate<float>((long)rows * shape.QueryHeads);
        scores = buffers.Allocate<float>((long)rows * heads * scoreStride);
        logits = buffers.Allocate<uint>(LogitRows(shape, rows, sequenceTokens) * LogitWords(shape, sequenceTokens));
        lists = buffers.Allocate<int>((long)sequences * heads * listStride);
        counts = buffers.Allocate<int>((long)sequences * heads);
        candidates = new TopCandidates(accelerator, sequences * heads, scoreStride);
        top = new TopTokensKernel(accelerator, candidates);
        largest = new LargestScoresKernel(accelerator);
        fromLogits = new LogitScores(accelerator);
    }

    /// <summary>Where an observation layer's attention leaves its softmax denominators.</summary>
    internal ArrayView<float> LogSumExp => logSumExp;

    /// <summary>What a selector allocates.</summary>
    internal static long Bytes(AttentionShape shape, SelectionBudget budget, bool perHead, int prefillTokens, int sequences, int sequenceTokens)
    {
        var heads = perHead ? shape.KeyHeads : 1L;
        var rows = PromptSample.DecodeRows(prefillTokens, sequences);
        var lists = sequences * heads * (ListStride(budget, prefillTokens, sequenceTokens) + 1);
        return (sizeof(float) * ((rows * (shape.QueryHeads + (heads * sequenceTokens))) + lists + (LogitRows(shape, rows, sequenceTokens) * LogitWords(shape, sequenceTokens))))
            + TopCandidates.Bytes(sequences * (int)heads, sequenceTokens);
    }

    /// <summary>The order of tokens with what the last observation layer selected.</summary>
    internal TokenOrder Order(ArrayView<ReadBounds> bounds) => new(bounds, lists, counts, listStride, heads);

    /// <summary>Where a layer's attention may leave its scores behind, or nothing, if there is no room for so many rows.</summary>
    internal TokenLogits Logits(int rows) =>
        rows * LogitWords(shape, scoreStride) <= logits.Length ? new TokenLogits(logits, scoreStride, shape.GroupSize) : default;

    /// <summary>Selects from what a layer just attended to.</summary>
    internal void Observe<TReader>(AcceleratorStream stream, IScoreKernel<TReader> kernel, DecodeArguments<TReader> decode, int rows)
        where TReader : unmanaged, IKvReader<TReader>
    {
        var selection = Selection(decode, budget);
        if (decode.Logits.AreKept)
            selection.Histograms = candidates.HistogramsFor(rows * heads, scoreStride);
        Score(stream, kernel, decode, selection, rows);
        top.Launch(stream, selection, rows, heads);
    }

    /// <summary>Selects for a prompt chunk from what some of its queries just attended to.</summary>
    internal void ObservePrompt<TReader>(AcceleratorStream stream, IScoreKernel<TReader> kernel, DecodeArguments<TReader> decode, int queries)
        where TReader : unmanaged, IKvReader<TReader>
    {
        var selection = Selection(decode, prefill);
        Score(stream, kernel, decode, selection, queries);
        largest.Launch(stream, decode.Rows, decode.Order.Bounds, scores, scoreStride, heads, queries);
        top.Launch(stream, selection, 1, heads);
    }

    public void Dispose()
    {
        buffers.Dispose();
        candidates.Dispose();
    }

    /// <summary>Scores what a layer attended to: from what attention left behind, or by reading keys again.</summary>
    private void Score<TReader>(AcceleratorStream stream, IScoreKernel<TReader> kernel, DecodeArguments<TReader> decode, TopTokensArguments selection, int rows)
        where TReader : unmanaged, IKvReader<TReader>
    {
        if (decode.Logits.AreKept)
            fromLogits.Launch(stream, selection, decode.Order, decode.Logits, decode.LogSumExp, heads, shape, rows);
        else
            kernel.Launch(stream, decode, scores, scoreStride, heads, shape, rows);
    }

    private TopTokensArguments Selection<TReader>(DecodeArguments<TReader> decode, SelectionBudget of)
        where TReader : unmanaged =>
        TopTokensKernel.Arguments(decode.Rows, decode.Order.Bounds, scores, scoreStride, lists, listStride, counts, of);

    /// <summary>Words of a row's logits.</summary>
    private static long LogitWords(AttentionShape shape, int sequenceTokens) => (long)shape.KeyHeads * TokenLogits.WidthOf(shape.GroupSize) * sequenceTokens;

    /// <summary>Rows whose logits find room.</summary>
    private static long LogitRows(AttentionShape shape, int rows, int sequenceTokens) =>
        Math.Min(rows, MaxLogitBytes / (sizeof(uint) * LogitWords(shape, sequenceTokens)));

    private static int ListStride(SelectionBudget budget, int prefillTokens, int sequenceTokens) =>
        Math.Max(1, Math.Min(Math.Max(budget.MaxTokens(sequenceTokens), prefillTokens), sequenceTokens));
}
