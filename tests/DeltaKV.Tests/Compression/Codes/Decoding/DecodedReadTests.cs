using DeltaKV.Cache;
using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Decoding;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Cache.Reading;
using DeltaKV.Tests.Compression.Codes.Reading;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.Codes.Decoding;

/// <summary>Attention over tokens whose decoder has a hidden layer, in scattered blocks, against the whole chain in double.</summary>
[Collection(KernelCollection.Name)]
public sealed class DecodedReadTests(KernelFixture device)
{
    /// <summary>Features, what is decoded and weights are rounded to halves or bf16, relative to values of a few units.</summary>
    private const double Tolerance = 3e-2;

    [Theory]
    [InlineData("mixed", nameof(FeatureActivation.Gelu), 48, 64, 4, 2, 2, 8, false, 1)]
    [InlineData("mixed", nameof(FeatureActivation.SwiGlu), 80, 64, 2, 1, 0, 16, true, 5)]
    [InlineData("token4", nameof(FeatureActivation.SwiGlu), 32, 128, 4, 1, 4, 4, true, 2)]
    [InlineData("token4", nameof(FeatureActivation.Gelu), 144, 128, 8, 2, 4, 16, false, 5)]
    [InlineData("mixed3", nameof(FeatureActivation.Gelu), 64, 64, 2, 1, 0, 16, false, 1)]
    [InlineData("hadamard3", nameof(FeatureActivation.Gelu), 32, 64, 2, 1, 1, 16, false, 5)]
    [InlineData("hadamard8-2", nameof(FeatureActivation.Gelu), 64, 64, 4, 2, 0, 16, false, 2)]
    [InlineData("hadamard4", nameof(FeatureActivation.SwiGlu), 16, 80, 3, 1, 3, 16, true, 1)]
    [InlineData("mixed", nameof(FeatureActivation.Gelu), 48, 96, 2, 1, 1, 16, false, 5)]
    public void Decoding_equals_the_network_in_double(
        string name, string kind, int features, int headDim, int queryHeads, int keyHeads, int neighbours, int referenceBits, bool selects, int sequencesAtOnce)
    {
        // From no coded tokens over part of a tile to three tiles.
        int[] lengths = [17, 333, 150, 60, 1];
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        var codecs = Codecs(name, Enum.Parse<FeatureActivation>(kind), features, headDim, keyHeads, neighbours);
        using var fixture = new CodedFixture(device, shape, codecs, lengths, referenceBits, 5);
        fixture.Compress();
        var selection = selects ? Selection(fixture) : null;
        using var read = new Room(device, fixture, sequencesAtOnce, selection?.Max(list => list.Length) ?? 0);
        // The last row is padding, as a graph's bucket has it.
        var positions = lengths.Select(length => length - 1).Append(-1).ToArray();
        read.Attention.Prepare(Spans(fixture));

        var truth = new StoredTokens(fixture, 1);
        new AttentionCheck<CodeReader>(
            device, shape, fixture.Reader(1), Order(fixture, selection), (query, sequence, _, head) => truth.Attend(query, sequence, head, selection?[sequence]), Tolerance)
            .Decode(read.Attention, [0, 1, 2, 3, 4, 0], positions, 1, 3e-2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Scores_are_the_largest_softmax_over_heads(int sequencesAtOnce)
    {
        int[] lengths = [17, 150, 333];
        var shape = new AttentionShape(4, 2, 64);
        using var fixture = new CodedFixture(device, shape, Codecs("token4", FeatureActivation.Gelu, 48, 64, 2, 4), lengths, 16, 5);
        fixture.Compress();
        using var read = new Room(device, fixture, sequencesAtOnce, 0);
        var qkv = Numbers.BFloat16s(9, 3 * shape.QkvWidth, 2f);
        using var output = device.Poisoned<BFloat16>(3 * shape.OutputWidth);
        using var logSumExp = device.Poisoned<float>(3 * shape.QueryHeads);
        using var scores = device.Poisoned<float>(3 * 400);
        var arguments = Arguments(fixture, read, [.. lengths.Select(length => length - 1)], Order(fixture, null), qkv, output, logSumExp);
        read.Attention.Launch(device.Stream, arguments, shape, 3);
        read.Attention.Launch(device.Stream, arguments, scores.View, 400, 1, shape, 3);

        var actual = device.Download(scores, 3 * 400);
        var queries = Numbers.Widen(qkv);
        var truth = new StoredTokens(fixture, 1);
        for (var row = 0; row < 3; row++)
        {
            for (var p = CodedFixture.Sinks; p < CodedFixture.CodedEnd(lengths[row]); p++)
            {
                var expected = Enumerable.Range(0, shape.QueryHeads).Max(h =>
                {
                    var query = queries.AsSpan((row * shape.QkvWidth) + (h * 64), 64).ToArray();
                    return Math.Exp(truth.Score(query, row, p, h / 2) - truth.Attend(query, row, h / 2, null).LogSumExp);
                });
                Assert.InRange(actual[(row * 400) + p - CodedFixture.Sinks], (0.95 * expected) - 1e-6, (1.05 * expected) + 1e-6);
            }
        }
    }

    [Theory]
    [InlineData("token4", nameof(FeatureActivation.Gelu), 64, 4, false)]
    [InlineData("mixed", nameof(FeatureActivation.SwiGlu), 128, 0, true)]
    public void Prompts_read_what_a_linear_decoder_reads(string name, string kind, int headDim, int neighbours, bool selects)
    {
        int[] lengths = [90, 333, 210];
        var shape = new AttentionShape(4, 2, headDim);
        var linear = Enumerable.Range(1, 2).Select(seed => CodecSamples.Create(name, 2, headDim, neighbours, seed)).ToArray();
        using var fixture = new CodedFixture(device, shape, [.. linear.Select(codec => CodecSamples.WithIdleDecoder(codec, Enum.Parse<FeatureActivation>(kind)))], lengths, 16, 5);
        using var plain = new CodedFixture(device, shape, linear, lengths, 16, 5);
        fixture.Compress();
        plain.Compress();
        using var read = new Room(device, fixture, 1, 0);
        // The first sequence decodes; of a selection only the last one reads, as in a step with one prompt, whose own tokens are raw.
        int[] chunks = selects ? [1, 1, 17] : [1, 100, 16];
        var selection = selects ? Selection(plain, 48) : null;
        read.Attention.Prepare([.. lengths.Select((length, s) => new StepSpan(length, CodedFixture.CodedEnd(length) - CodedFixture.Sinks, PrefillTile.CountOf(chunks[s])))]);
        var decodeRows = chunks.Count(rows => rows == 1);
        var tiles = new List<PrefillTile>();
        var chosen = new List<PrefillTile>();
        for (var s = decodeRows; s < 3; s++)
        {
            tiles.AddRange(Cut(s, lengths[s] - chunks[s]));
            // Where the chunk lies once what is left out is gone.
            chosen.AddRange(Cut(s, lengths[s] - chunks[s] - (CodedFixture.CodedEnd(lengths[s]) - CodedFixture.Sinks) + 48));
        }

        var count = chunks.Sum();
        var qkv = fixture.Upload(Numbers.BFloat16s(9, count * shape.QkvWidth, 2f));
        using var output = device.Poisoned<BFloat16>(count * shape.OutputWidth);
        using var expected = device.Poisoned<BFloat16>(count * shape.OutputWidth);
        var leftOut = selects ? CodedFixture.CodedEnd(lengths[2]) - CodedFixture.Sinks - 48 : 0;
        var step = new AttentionStep(default, fixture.Upload(tiles.ToArray()), decodeRows, tiles.Count, count, 400);

        read.Attention.Prefill(device.Stream, fixture.Reader(1), Order(fixture, selection), leftOut, fixture.Upload(chosen.ToArray()), qkv, step, output.View);

        new ReaderPrefillKernel<CodeReader>(device.Accelerator).Launch(
            device.Stream,
            new PrefillReadArguments<CodeReader>
            {
                Reader = plain.Reader(1), Tiles = step.Tiles, Order = Order(plain, selection), Qkv = qkv.Cast<uint>(), Output = expected.View.BaseView.Cast<BFloat16x2>(),
            },
            shape,
            tiles.Count);
        var first = decodeRows * shape.OutputWidth;
        Numbers.AssertClose(
            Numbers.Widen(device.Download(expected, count * shape.OutputWidth))[first..].Select(value => (double)value).ToArray(),
            Numbers.Widen(device.Download(output, count * shape.OutputWidth))[first..], Tolerance, 1e-2, name);

        PrefillTile[] Cut(int sequence, int position)
        {
            var cut = new PrefillTile[PrefillTile.CountOf(chunks[sequence])];
            PrefillTile.Cut(sequence, chunks[..sequence].Sum(), chunks[sequence], position, cut);
            return cut;
        }
    }

    [Fact]
    public void A_hidden_layer_of_the_wrong_size_is_refused()
    {
        var codec = CodecSamples.WithDecoder(CodecSamples.Create("token4", 2, 64, 0, 1), FeatureActivation.Gelu, 32, 1);
        var group = codec.Groups[0];
        Assert.Contains("24 features in the decoder", Refusal(group with { Decoder = group.Decoder! with { Count = 24 } }), StringComparison.Ordinal);
        Assert.Contains("48 x 96", Refusal(group with { Decoder = group.Decoder with { Count = 48 } }), StringComparison.Ordinal);
        Assert.Contains("32 x 256", Refusal(group with { Up = new float[96 * 256] }), StringComparison.Ordinal);
        codec.Validate();
        Assert.Contains("every head", Assert.Throws<ArgumentException>((codec with { WindowHeads = 1 }).Validate).Message, StringComparison.Ordinal);
        Assert.Contains(
            "heads=shared",
            Assert.Throws<NotSupportedException>(() => new CodedKvFormat(new AttentionShape(4, 2, 64), [codec], new CodedKvOptions { SelectsPerHead = true })).Message,
            StringComparison.Ordinal);

        string Refusal(CodeGroup changed) => Assert.Throws<ArgumentException>((codec with { Groups = [changed] }).Validate).Message;
    }

    /// <summary>A layer that decodes linearly, and one that does not.</summary>
    private static LinearCodec[] Codecs(string name, FeatureActivation activation, int features, int headDim, int keyHeads, int neighbours) =>
    [
        CodecSamples.Create(name, keyHeads, headDim, neighbours, 1),
        CodecSamples.WithDecoder(CodecSamples.Create(name, keyHeads, headDim, neighbours, 2), activation, features, 3),
    ];

    private static DecodeArguments<CodeReader> Arguments(
        CodedFixture fixture,
        Room read,
        int[] positions,
        TokenOrder order,
        BFloat16[] qkv,
        MemoryBuffer1D<BFloat16, Stride1D.Dense> output,
        MemoryBuffer1D<float, Stride1D.Dense> logSumExp)
    {
        read.Attention.Prepare(Spans(fixture));
        return new DecodeArguments<CodeReader>
        {
            Reader = fixture.Reader(1),
            // Padding rows are of sequence 0.
            Rows = new TokenRows(fixture.Upload([.. positions.Select((position, row) => position < 0 ? 0 : row)]), fixture.Upload(positions)),
            Order = order,
            Qkv = fixture.Upload(qkv).Cast<uint>(),
            Output = output.View.BaseView.Cast<BFloat16x2>(),
            LogSumExp = logSumExp.View,
            Splits = 1,
        };
    }

    private static StepSpan[] Spans(CodedFixture fixture) =>
        [.. fixture.Lengths.Select(length => new StepSpan(length, CodedFixture.CodedEnd(length) - CodedFixture.Sinks, 1))];

    private static int[][] Selection(CodedFixture fixture, int count = 0)
    {
        var random = new Random(4);
        return [.. fixture.Lengths.Select(length =>
        {
            var coded = Enumerable.Range(CodedFixture.Sinks, CodedFixture.CodedEnd(length) - CodedFixture.Sinks).ToArray();
            return count > 0 ? coded.OrderBy(_ => random.Next()).Take(count).Order().ToArray() : coded.Where(_ => random.Next(2) == 0).ToArray();
        })];
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

    /// <summary>The room for so many of the longest sequences, whose tokens go through the decoder 128 at a time.</summary>
    private sealed class Room : IDisposable
    {
        private readonly BFloat16Kernels kernels;
        private readonly Reconstructor reconstructor;
        private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> keys;
        private readonly MemoryBuffer1D<BFloat16, Stride1D.Dense> values;

        internal Room(KernelFixture device, CodedFixture fixture, int sequences, int selected)
        {
            var options = new CodedKvOptions { Sinks = CodedFixture.Sinks, Selection = new(selected, 0) };
            var format = new CodedKvFormat(fixture.Shape, fixture.Codecs, options);
            var slots = (sequences * (512 + 64)) / 64 * 64;
            kernels = new BFloat16Kernels(device.Accelerator, fixture.Shape, 8);
            reconstructor = new Reconstructor(device.Accelerator, format, slots, workspaceBytes: 0);
            keys = device.Poisoned<BFloat16>(slots * fixture.Shape.KeyHeads * fixture.Shape.HeadDim);
            values = device.Poisoned<BFloat16>(slots * fixture.Shape.KeyHeads * fixture.Shape.HeadDim);
            var rows = new KvBlocks<BFloat16>(keys.View, values.View, fixture.Upload(Enumerable.Range(0, slots / 64).ToArray()), 0);
            Attention = new DecodedRead(device.Accelerator, kernels, format, reconstructor, rows, slots);
        }

        internal DecodedRead Attention { get; }

        public void Dispose()
        {
            Attention.Dispose();
            reconstructor.Dispose();
            kernels.Dispose();
            keys.Dispose();
            values.Dispose();
        }
    }
}
