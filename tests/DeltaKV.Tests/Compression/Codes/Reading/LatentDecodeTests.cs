using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Reading;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Cache.Reading;
using DeltaKV.Tests.Kernels;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Compression.Codes.Reading;

[Collection(KernelCollection.Name)]
public sealed class LatentDecodeTests(KernelFixture device)
{
    /// <summary>Keys and weights are rounded to halves, outputs to bf16, relative to values of a few units.</summary>
    private const double Tolerance = 1e-2;

    [Theory]
    [InlineData("mixed", 64, 2, 2, 0, 16, false, 512)]
    [InlineData("mixed", 128, 8, 2, 0, 16, true, 512)]
    [InlineData("mixed", 64, 10, 1, 0, 16, false, 2)]
    [InlineData("mixed", 128, 4, 1, 0, 16, false, 1)]
    [InlineData("klt", 128, 8, 2, 0, 16, false, 1)]
    [InlineData("klt", 128, 4, 1, 1, 16, false, 1)]
    [InlineData("mixed", 64, 4, 2, 2, 8, false, 2)]
    [InlineData("token4", 128, 2, 1, 3, 4, true, 1)]
    [InlineData("wide4", 128, 4, 1, 4, 16, false, 1)]
    [InlineData("wide4", 64, 10, 1, 4, 16, true, 512)]
    [InlineData("klt", 64, 3, 1, 0, 16, true, 2)]
    [InlineData("token4", 64, 4, 1, 0, 16, false, 2)]
    [InlineData("token4", 128, 2, 1, 0, 16, true, 1)]
    [InlineData("hadamard4", 128, 4, 2, 0, 16, false, 512)]
    [InlineData("hadamard4", 128, 4, 2, 0, 16, false, 1)]
    [InlineData("hadamard4", 128, 2, 1, 0, 16, true, 1)]
    [InlineData("hadamard4", 64, 3, 1, 0, 16, true, 2)]
    [InlineData("hadamard8-2", 64, 2, 2, 0, 16, false, 1)]
    [InlineData("hadamard3", 64, 4, 2, 0, 16, false, 1)]
    [InlineData("hadamard3", 128, 4, 2, 0, 16, true, 512)]
    [InlineData("hadamard3", 128, 2, 2, 0, 16, false, 1)]
    [InlineData("hadamard4-3", 128, 4, 2, 0, 16, true, 1)]
    [InlineData("hadamard3", 64, 3, 3, 4, 8, true, 2)]
    [InlineData("hadamard3", 128, 8, 1, 1, 16, false, 2)]
    [InlineData("hadamard4-3", 64, 2, 2, 0, 16, true, 2)]
    [InlineData("mixed3", 64, 4, 2, 0, 16, false, 2)]
    [InlineData("mixed3", 128, 2, 1, 3, 4, true, 1)]
    [InlineData("klt3", 128, 8, 2, 0, 16, true, 1)]
    [InlineData("klt3", 64, 2, 1, 2, 16, false, 512)]
    [InlineData("token3", 64, 10, 1, 0, 16, false, 2)]
    [InlineData("chunk3", 128, 2, 2, 0, 16, true, 2)]
    [InlineData("wide3", 128, 4, 1, 4, 16, false, 1)]
    [InlineData("identity", 64, 4, 4, 0, 16, true, 2)]
    [InlineData("identity", 128, 1, 1, 0, 16, false, 2)]
    [InlineData("wide8", 64, 2, 1, 0, 16, false, 1)]
    [InlineData("wide4", 128, 2, 1, 0, 16, true, 2)]
    [InlineData("klt:cw", 128, 8, 2, 0, 16, false, 1)]
    [InlineData("klt:wcw", 64, 3, 3, 0, 16, true, 512)]
    [InlineData("klt:rw", 64, 2, 2, 0, 16, false, 2)]
    [InlineData("wide4:wc", 64, 4, 2, 4, 8, false, 2)]
    [InlineData("hadamard4:w8rc", 64, 8, 4, 0, 16, false, 2)]
    [InlineData("hadamard8-2:wcw", 64, 3, 3, 0, 16, true, 1)]
    public void Decoding_in_latent_space_equals_decoding_what_is_stored(string name, int headDim, int queryHeads, int keyHeads, int neighbours, int referenceBits, bool selects, int maxSplits)
    {
        // From no coded tokens over part of a tile to three tiles.
        int[] lengths = [1, 17, 150, 333, 670];
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        LinearCodec[] codecs = [CodecSamples.Create(name, keyHeads, headDim, neighbours, 1), CodecSamples.Create(name, keyHeads, headDim, neighbours, 2)];
        using var fixture = new CodedFixture(device, shape, codecs, lengths, referenceBits, 5);
        fixture.Compress();
        var selection = selects ? Selection(fixture) : null;
        // Row 5 is padding; rows are not in the order of the tables.
        int[] rowSequences = [2, 4, 0, 3, 1, 0];
        var positions = rowSequences.Select(s => lengths[s] - 1).ToArray();
        positions[5] = -1;
        using var latent = new LatentDecode(device.Accelerator, shape, codecs, fixture.Tables, 6, maxSplits: maxSplits);
        Assert.True(latent.Supports(1));

        var truth = new StoredTokens(fixture, 1);
        new AttentionCheck<CodeReader>(
            device,
            shape,
            fixture.Reader(1),
            Order(fixture, selection).WithWindowHeads(codecs[1].WindowHeads),
            (query, sequence, _, head) => truth.Attend(query, sequence, head, selection?[sequence]),
            Tolerance).Decode(latent, rowSequences, positions, 1, 1e-2);
    }

    [Theory]
    [InlineData(128, 8, 2, 512)]
    [InlineData(128, 4, 1, 1)]
    [InlineData(64, 10, 1, 2)]
    [InlineData(64, 2, 2, 512)]
    public void The_recomputed_layer_is_read_from_the_table_of_tokens(int headDim, int queryHeads, int keyHeads, int maxSplits)
    {
        int[] lengths = [1, 17, 150, 333, 670];
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        LinearCodec[] codecs = [FirstLayerTable.Codec(keyHeads, headDim)];
        using var fixture = new CodedFixture(device, shape, codecs, lengths, 16, 5, recomputed: 0);
        int[] rowSequences = [2, 4, 0, 3, 1, 0];
        var positions = rowSequences.Select(s => lengths[s] - 1).ToArray();
        positions[5] = -1;
        var qkv = Numbers.BFloat16s(9, 6 * shape.QkvWidth, 2f);
        using var output = device.Poisoned<BFloat16>(6 * shape.OutputWidth);
        using var logSumExp = device.Poisoned<float>(6 * shape.QueryHeads);
        using var scores = device.Poisoned<float>(6 * 700);
        using var latent = new LatentDecode(device.Accelerator, shape, codecs, fixture.Tables, 6, recomputed: 0, maxSplits: maxSplits);
        var arguments = new DecodeArguments<CodeReader>
        {
            Reader = new CodeReader(WithTable(fixture), fixture.RawOf(0), 0),
            Rows = new TokenRows(fixture.Upload(rowSequences), fixture.Upload(positions)),
            Order = Order(fixture, null),
            Qkv = fixture.Upload(qkv).Cast<uint>(),
            Output = output.View.BaseView.SubView(0, 6 * shape.OutputWidth).Cast<BFloat16x2>(),
            LogSumExp = logSumExp.View.BaseView.SubView(0, 6 * shape.QueryHeads),
            Logits = Logits(fixture, 6, 700),
        };
        Assert.True(latent.KeepsLogits(arguments.Reader));

        latent.Launch(device.Stream, arguments, shape, 6);
        Score(arguments, scores.View.BaseView.SubView(0, 6 * 700), 700, 1, shape, 6);

        var actual = Numbers.Widen(device.Download(output, 6 * shape.OutputWidth));
        var actualSums = device.Download(logSumExp, 6 * shape.QueryHeads);
        var queries = Numbers.Widen(qkv);
        var truth = new StoredTokens(fixture, 0, isExact: true);
        for (var row = 0; row < 5; row++)
        {
            for (var h = 0; h < queryHeads; h++)
            {
                var query = queries.AsSpan((row * shape.QkvWidth) + (h * headDim), headDim).ToArray();
                var (expected, sum) = truth.Attend(query, rowSequences[row], h / shape.GroupSize, null);
                Numbers.AssertClose(expected, actual.AsSpan((row * shape.OutputWidth) + (h * headDim), headDim).ToArray(), Tolerance, 1e-2, $"row {row} head {h}");
                Assert.Equal(sum, actualSums[(row * queryHeads) + h], 1e-2);
            }
        }

        Assert.All(actual[(5 * shape.OutputWidth)..], value => Assert.Equal(0f, value));
        CheckScores(fixture, truth, shape, 1, queries, rowSequences, 5, LogitWeights.Of(device.Download(scores, 6 * 700)));
    }

    [Theory]
    [InlineData("klt", 128, 8, 2, 0, 1, 1, false)]
    [InlineData("klt", 64, 10, 1, 2, 1, 512, false)]
    [InlineData("hadamard4", 64, 6, 2, 0, 2, 2, false)]
    [InlineData("hadamard3", 64, 6, 2, 0, 2, 2, false)]
    [InlineData("hadamard3", 128, 4, 1, 2, 1, 1, false)]
    [InlineData("klt3", 128, 8, 2, 0, 1, 2, false)]
    [InlineData("wide4", 128, 4, 1, 4, 1, 2, false)]
    [InlineData("klt:wc", 64, 4, 2, 0, 1, 2, false)]
    [InlineData("hadamard4:cwc", 64, 6, 3, 0, 3, 2, false)]
    [InlineData("klt", 128, 8, 2, 0, 1, 1, true)]
    [InlineData("klt", 64, 10, 1, 2, 1, 512, true)]
    [InlineData("hadamard4", 64, 6, 2, 0, 2, 2, true)]
    [InlineData("klt3", 128, 8, 2, 0, 1, 2, true)]
    [InlineData("wide4", 128, 4, 1, 4, 1, 2, true)]
    [InlineData("klt:wc", 64, 4, 2, 0, 1, 2, true)]
    [InlineData("hadamard4:cwc", 64, 6, 3, 0, 3, 2, true)]
    public void Scores_are_the_largest_softmax_over_heads(
        string name, int headDim, int queryHeads, int keyHeads, int neighbours, int lists, int maxSplits, bool fromLogits)
    {
        int[] lengths = [17, 150, 670];
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        LinearCodec[] codecs = [CodecSamples.Create(name, keyHeads, headDim, neighbours, 1)];
        using var fixture = new CodedFixture(device, shape, codecs, lengths, 16, 5);
        fixture.Compress();
        // The last row is padding.
        int[] rowSequences = [2, 0, 1, 0];
        var positions = rowSequences.Select(s => lengths[s] - 1).ToArray();
        positions[3] = -1;
        var qkv = Numbers.BFloat16s(9, 4 * shape.QkvWidth, 2f);
        using var output = device.Poisoned<BFloat16>(4 * shape.OutputWidth);
        using var logSumExp = device.Poisoned<float>(4 * shape.QueryHeads);
        using var scores = device.Poisoned<float>(4 * lists * 700);
        using var latent = new LatentDecode(device.Accelerator, shape, codecs, fixture.Tables, 4, maxSplits: maxSplits);
        var arguments = new DecodeArguments<CodeReader>
        {
            Reader = fixture.Reader(0),
            Rows = new TokenRows(fixture.Upload(rowSequences), fixture.Upload(positions)),
            Order = Order(fixture, null).WithWindowHeads(codecs[0].WindowHeads),
            Qkv = fixture.Upload(qkv).Cast<uint>(),
            Output = output.View.BaseView.SubView(0, 4 * shape.OutputWidth).Cast<BFloat16x2>(),
            LogSumExp = logSumExp.View.BaseView.SubView(0, 4 * shape.QueryHeads),
            Logits = fromLogits ? Logits(fixture, 4, 700) : default,
        };
        latent.Launch(device.Stream, arguments, shape, 4);
        if (fromLogits)
            Score(arguments, scores.View.BaseView.SubView(0, 4 * lists * 700), 700, lists, shape, 4);
        else
            latent.Launch(device.Stream, arguments, scores.View.BaseView.SubView(0, 4 * lists * 700), 700, lists, shape, 4);

        var actual = device.Download(scores, 4 * lists * 700);
        CheckScores(fixture, new StoredTokens(fixture, 0), shape, lists, Numbers.Widen(qkv), rowSequences, 3, fromLogits ? LogitWeights.Of(actual) : actual);
    }

    private static void CheckScores(
        CodedFixture fixture, StoredTokens truth, AttentionShape shape, int lists, float[] queries, int[] rowSequences, int rows, float[] actual)
    {
        var lengths = fixture.Lengths;
        for (var row = 0; row < rows; row++)
        {
            var s = rowSequences[row];
            var expected = new double[lists, CodedFixture.CodedEnd(lengths[s])];
            for (var h = 0; h < shape.QueryHeads; h++)
            {
                var query = queries.AsSpan((row * shape.QkvWidth) + (h * shape.HeadDim), shape.HeadDim).ToArray();
                var (_, sum) = truth.Attend(query, s, h / shape.GroupSize, null);
                // Heads without history have no say, and choose what all others do.
                if (!fixture.Codecs[0].KeepsHistory(h / shape.GroupSize))
                    continue;
                int[] own = lists == 1 ? [0] : [h / shape.GroupSize, .. Enumerable.Range(0, shape.KeyHeads).Where(head => !fixture.Codecs[0].KeepsHistory(head))];
                foreach (var list in own)
                {
                    for (var p = CodedFixture.Sinks; p < CodedFixture.CodedEnd(lengths[s]); p++)
                        expected[list, p] = Math.Max(expected[list, p], Math.Exp(truth.Score(query, s, p, h / shape.GroupSize) - sum));
                }
            }

            for (var list = 0; list < lists; list++)
            {
                for (var p = CodedFixture.Sinks; p < CodedFixture.CodedEnd(lengths[s]); p++)
                {
                    var score = actual[(((row * lists) + list) * 700) + p - CodedFixture.Sinks];
                    Assert.True(
                        Math.Abs(score - expected[list, p]) <= (0.02 * expected[list, p]) + 1e-6, $"Row {row}, list {list}, position {p}: {score:g6}, expected {expected[list, p]:g6}.");
                }
            }
        }
    }

    private TokenLogits Logits(CodedFixture fixture, int rows, int stride) => new(
        fixture.Upload(Enumerable.Repeat(uint.MaxValue, rows * fixture.Shape.KeyHeads * stride * TokenLogits.WidthOf(fixture.Shape.GroupSize)).ToArray()),
        stride,
        fixture.Shape.GroupSize);

    private void Score(DecodeArguments<CodeReader> arguments, ArrayView<float> scores, int stride, int lists, AttentionShape shape, int rows) =>
        new LogitScores(device.Accelerator).Launch(
            device.Stream,
            TopTokensKernel.Arguments(arguments.Rows, arguments.Order.Bounds, scores, stride, default, 0, default, new SelectionBudget(1, 0)),
            arguments.Order,
            arguments.Logits,
            arguments.LogSumExp,
            lists,
            shape,
            rows);

    /// <summary>Every token of the fixture is a word of its own, in scattered order.</summary>
    private static CodePoolView WithTable(CodedFixture fixture)
    {
        var stride = fixture.Lengths.Max();
        var words = Enumerable.Range(0, fixture.Lengths.Length * stride).ToArray();
        new Random(6).Shuffle(words);
        var width = fixture.Tables.Width;
        var rows = new uint[words.Length * width / 2];
        for (var s = 0; s < fixture.Lengths.Length; s++)
        {
            for (var p = 0; p < fixture.Lengths[s]; p++)
            {
                for (var i = 0; i < width; i += 2)
                    rows[((words[(s * stride) + p] * width) + i) / 2] = Half2.FromSingles((float)fixture.Kv[0][s][p][i], (float)fixture.Kv[0][s][p][i + 1]).Bits;
            }
        }

        return fixture.Pool with { TokenRows = fixture.Upload(rows), TokenIds = fixture.Upload(words), TokenStride = stride };
    }

    private static int[][] Selection(CodedFixture fixture)
    {
        var random = new Random(4);
        return [.. fixture.Lengths.Select(length => Enumerable.Range(CodedFixture.Sinks, CodedFixture.CodedEnd(length) - CodedFixture.Sinks)
            .Where(_ => random.Next(2) == 0).ToArray())];
    }

    private static TokenOrder Order(CodedFixture fixture, int[][]? selection)
    {
        if (selection is null)
            return new TokenOrder(fixture.Bounds, default, default, 0);
        var stride = selection.Max(list => list.Length) + 1;
        var lists = new int[selection.Length * stride];
        for (var s = 0; s < selection.Length; s++)
            selection[s].CopyTo(lists, s * stride);
        return new TokenOrder(fixture.Bounds, fixture.Upload(lists), fixture.Upload(selection.Select(list => list.Length).ToArray()), stride);
    }
}
