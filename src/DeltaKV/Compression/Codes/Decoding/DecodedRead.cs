using System.Numerics;
using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>
/// Attention over layers whose decoder has a hidden layer: what is read is reconstructed into plain rows, as many sequences at a time as there is room for, and attended to there. A decode step reads row r's sequence in
/// row r of the tables.
/// </summary>
/// <remarks>
/// Launches depend on the longest coded history of the step rounded up to a power of two (<see cref="Variant"/>), lengths themselves are read on the device: a captured graph serves all steps of its variant.
/// The rows stay until the next layer is read, so that scores and the queries of a prompt that select find them there.
/// </remarks>
internal sealed class DecodedRead : IDecodeKernel<CodeReader>, IScoreKernel<CodeReader>, IDisposable
{
    private const int Tile = DecoderProduct.TileTokens;

    private readonly CodedKvFormat format;
    private readonly Reconstructor reconstructor;
    private readonly ITransformerKernels<BFloat16> kernels;
    private readonly KvBlocks<BFloat16> rows;
    private readonly int slots;
    private readonly HistoryListKernel lists;
    private readonly ReaderDecodeKernel<DecodedReader> attend;
    private readonly ScoreKernel<DecodedReader> score;
    private readonly ReconstructKernel<CodeReader> copy;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> numbers;
    private readonly List<StepSpan> spans = [];
    private int longest = Tile;

    /// <param name="accelerator">Where it runs.</param>
    /// <param name="kernels">Attention over plain rows; not owned.</param>
    /// <param name="format">The codecs.</param>
    /// <param name="reconstructor">Decodes; not owned.</param>
    /// <param name="rows">Room for the longest sequence at least, in blocks of 64 whose table is the identity; not owned.</param>
    /// <param name="slots">Tokens of it.</param>
    internal DecodedRead(
        Accelerator accelerator, ITransformerKernels<BFloat16> kernels, CodedKvFormat format, Reconstructor reconstructor, KvBlocks<BFloat16> rows, int slots)
    {
        (this.kernels, this.format, this.reconstructor, this.rows, this.slots) = (kernels, format, reconstructor, rows, slots);
        (lists, attend, score, copy) = (new(accelerator), new(accelerator), new(accelerator), new(accelerator));
        numbers = accelerator.Allocate1D(Enumerable.Range(0, slots).ToArray());
        OfPrompt = new PromptRead(this);
    }

    /// <summary>Decode steps that differ in it launch different kernels.</summary>
    internal int Variant => BitOperations.Log2((uint)longest);

    /// <summary>Queries of the step's only prompt, as rows of their own, over the rows that <see cref="Prefill"/> left.</summary>
    internal PromptRead OfPrompt { get; }

    /// <summary>Tokens of the room for one sequence at least.</summary>
    internal static int Slots(CodedKvFormat format, int sequenceTokens) =>
        CodedKvFormat.Blocks((CodedKvFormat.Blocks(sequenceTokens, Tile) * Tile) + format.Options.Sinks, KvBlockLayout.Size) * KvBlockLayout.Size;

    /// <summary>Looks at the lengths of a step's sequences.</summary>
    internal void Prepare(ReadOnlySpan<SequenceStep> steps)
    {
        Prepare(ReadOnlySpan<StepSpan>.Empty);
        foreach (var step in steps)
        {
            var sequence = (CodedSequence)step.Cache;
            Add(new StepSpan(sequence.Length + step.Rows, sequence.CodedEnd - sequence.CodedStart, PrefillTile.CountOf(step.Rows)));
        }
    }

    /// <summary>The same, given the lengths.</summary>
    internal void Prepare(ReadOnlySpan<StepSpan> steps)
    {
        spans.Clear();
        longest = Tile;
        foreach (var step in steps)
            Add(step);
    }

    /// <inheritdoc/>
    public void Launch(AcceleratorStream stream, DecodeArguments<CodeReader> arguments, AttentionShape shape, int rowCount)
    {
        var room = Room(arguments.Order);
        for (var first = 0; first < rowCount; first += room.Sequences)
        {
            var count = Math.Min(room.Sequences, rowCount - first);
            Reconstruct(stream, arguments, room, first, count);
            attend.Launch(stream, Part(arguments, room, first, shape), shape, count);
        }
    }

    /// <inheritdoc/>
    public void Launch(
        AcceleratorStream stream, DecodeArguments<CodeReader> decode, ArrayView<float> scores, int scoreStride, int lists, AttentionShape shape, int rowCount)
    {
        var room = Room(decode.Order);
        for (var first = 0; first < rowCount; first += room.Sequences)
        {
            var count = Math.Min(room.Sequences, rowCount - first);
            // Attention came just before; only what was pushed out since has to be made again.
            if (room.Sequences < rowCount)
                Reconstruct(stream, decode, room, first, count);
            score.Launch(stream, Part(decode, room, first, shape), scores.SubView((long)first * lists * scoreStride), scoreStride, lists, shape, count);
        }
    }

    /// <summary>Attention of a step's prompt chunks, one after the other.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="reader">The layer.</param>
    /// <param name="order">Which tokens are read.</param>
    /// <param name="leftOut">Coded tokens that are not, of the only prompt.</param>
    /// <param name="chosenTiles">The tiles of a prompt that leaves some out.</param>
    /// <param name="qkv">Rotated q first in each row.</param>
    /// <param name="step">The step.</param>
    /// <param name="output">The result.</param>
    internal void Prefill(
        AcceleratorStream stream,
        CodeReader reader,
        TokenOrder order,
        int leftOut,
        ArrayView<PrefillTile> chosenTiles,
        ArrayView<BFloat16> qkv,
        in AttentionStep step,
        ArrayView<BFloat16> output)
    {
        // Rows that decode come first and have no tiles.
        var tile = 0;
        for (var sequence = step.DecodeRows; sequence < spans.Count; sequence++)
        {
            var prompt = spans[sequence];
            var count = prompt.CodedTokens - leftOut;
            var span = new HistorySpan { Order = order, FirstSequence = sequence, Sequences = 1, TokensPerSequence = Math.Max(count, 1), SlotsPerSequence = slots };
            reconstructor.Run(stream, reader.Pool, reader.Layer, new HistoryList(lists, span), count, rows);
            copy.Launch(stream, reader, order, sequence, prompt.Length, leftOut, rows.Keys, rows.Values, format.Shape, rawOnly: true);
            var tiles = leftOut > 0 ? chosenTiles : step.Tiles.SubView(tile, prompt.Tiles);
            kernels.PrefillAttention(stream, qkv, tiles, rows, output, prompt.Tiles);
            tile += prompt.Tiles;
        }
    }

    public void Dispose() => numbers.Dispose();

    private void Add(StepSpan step)
    {
        spans.Add(step);
        longest = Math.Max(longest, (int)BitOperations.RoundUpToPowerOf2((uint)step.CodedTokens));
    }

    /// <summary>How many sequences' tokens fit at once, and how many tokens that is for each.</summary>
    private (int Sequences, int Tokens) Room(TokenOrder order)
    {
        var tokens = Math.Min(longest, (slots - format.Options.Sinks) / Tile * Tile);
        if (order.SelectedCounts.Length > 0)
            tokens = Math.Min(tokens, CodedKvFormat.Blocks(format.Options.Selection.MaxTokens(longest), Tile) * Tile);
        return (slots / (tokens + format.Options.Sinks), tokens);
    }

    private void Reconstruct(AcceleratorStream stream, DecodeArguments<CodeReader> arguments, (int Sequences, int Tokens) room, int first, int count)
    {
        var span = new HistorySpan
        {
            Order = arguments.Order,
            Positions = arguments.Rows.Positions.SubView(first, count),
            FirstSequence = first,
            Sequences = count,
            TokensPerSequence = room.Tokens,
            SlotsPerSequence = room.Tokens + format.Options.Sinks,
        };
        reconstructor.Run(stream, arguments.Reader.Pool, arguments.Reader.Layer, new HistoryList(lists, span), count * room.Tokens, rows);
    }

    /// <summary>The same attention of some of the rows, over what was reconstructed for them.</summary>
    private DecodeArguments<DecodedReader> Part(DecodeArguments<CodeReader> arguments, (int Sequences, int Tokens) room, int first, AttentionShape shape)
    {
        var order = arguments.Order;
        var selects = order.SelectedCounts.Length > 0;
        return arguments.Through(Reader(arguments.Reader, first, room.Tokens + format.Options.Sinks, selects ? order.Bounds : default)) with
        {
            Rows = new TokenRows(arguments.Rows.Sequences.SubView(first), arguments.Rows.Positions.SubView(first)),
            // Where something is selected, its n-th token is the n-th reconstructed one.
            Order = selects ? new TokenOrder(order.Bounds, numbers.View, order.SelectedCounts, 0) : order,
            Qkv = arguments.Qkv.SubView((long)first * shape.QkvWidth / 2),
            Output = arguments.Output.SubView((long)first * shape.OutputWidth / 2),
            LogSumExp = arguments.LogSumExp.Length > 0 ? arguments.LogSumExp.SubView((long)first * shape.QueryHeads) : default,
        };
    }

    private DecodedReader Reader(CodeReader reader, int firstSequence, int slotsPerSequence, ArrayView<ReadBounds> starts) => new(
        rows.Eights(),
        reader.Raw,
        format.Shape.KeyHeads,
        firstSequence,
        slotsPerSequence,
        starts);

    /// <summary>Attention of queries of the only prompt.</summary>
    internal sealed class PromptRead(DecodedRead owner) : IDecodeKernel<CodeReader>, IScoreKernel<CodeReader>
    {
        /// <inheritdoc/>
        public void Launch(AcceleratorStream stream, DecodeArguments<CodeReader> arguments, AttentionShape shape, int rowCount) =>
            owner.attend.Launch(stream, Rows(arguments), shape, rowCount);

        /// <inheritdoc/>
        public void Launch(
            AcceleratorStream stream, DecodeArguments<CodeReader> decode, ArrayView<float> scores, int scoreStride, int lists, AttentionShape shape, int rowCount) =>
            owner.score.Launch(stream, Rows(decode), scores, scoreStride, lists, shape, rowCount);

        private DecodeArguments<DecodedReader> Rows(DecodeArguments<CodeReader> arguments) =>
            arguments.Through(owner.Reader(arguments.Reader, owner.spans.Count - 1, 0, default));
    }
}
