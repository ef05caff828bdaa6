using DeltaKV.Cache.Reading;
using DeltaKV.Compression.Codes;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Compression.Codes;
using DeltaKV.Tests.Compression.Codes.Reading;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Cache.Reading;

[Collection(KernelCollection.Name)]
public sealed class ReaderAttentionTests(KernelFixture device)
{
    /// <summary>Weights pass through bf16 once, outputs too, relative to values of a few units.</summary>
    private const double AttentionTolerance = 3e-2;

    [Theory]
    [InlineData("identity", 64, 2, 0, 16)]
    [InlineData("hadamard4", 64, 2, 4, 16)]
    [InlineData("hadamard8-2", 64, 1, 0, 16)]
    [InlineData("mixed", 64, 4, 4, 8)]
    [InlineData("mixed", 128, 2, 1, 4)]
    [InlineData("token4", 128, 2, 2, 16)]
    [InlineData("empty", 64, 2, 1, 16)]
    [InlineData("mixed", 80, 2, 4, 16)]
    [InlineData("hadamard4", 96, 1, 3, 16)]
    [InlineData("hadamard3", 64, 4, 0, 16)]
    [InlineData("hadamard3", 128, 2, 4, 16)]
    [InlineData("hadamard3", 96, 2, 0, 16)]
    [InlineData("mixed3", 64, 2, 2, 8)]
    [InlineData("chunk3", 128, 1, 0, 16)]
    public void Reconstructs_what_is_stored(string name, int headDim, int keyHeads, int neighbours, int referenceBits)
    {
        using var fixture = Create(name, headDim, 2 * keyHeads, keyHeads, neighbours, referenceBits, [20, 170, 75]);
        fixture.Compress();
        var (keys, values) = Reconstruct(fixture, 1);
        var stored = new StoredTokens(fixture, 1);
        for (var s = 0; s < fixture.Lengths.Length; s++)
        {
            for (var p = 0; p < fixture.Lengths[s]; p++)
            {
                var isCoded = p >= CodedFixture.Sinks && p < CodedFixture.CodedEnd(fixture.Lengths[s]);
                var expected = stored.Row(s, p);
                for (var h = 0; h < keyHeads; h++)
                {
                    for (var i = 0; i < headDim; i++)
                    {
                        Check(expected[(h * headDim) + i], keys[Index(fixture, s, p, h) + i], isCoded, $"key {s}/{p}/{h}/{i}");
                        Check(expected[((keyHeads + h) * headDim) + i], values[Index(fixture, s, p, h) + i], isCoded, $"value {s}/{p}/{h}/{i}");
                    }
                }
            }
        }
    }

    [Fact]
    public void An_identity_codec_returns_the_same_bits()
    {
        using var fixture = Create("identity", 64, 4, 2, 0, 16, [400]);
        fixture.Compress();
        var (keys, values) = Reconstruct(fixture, 0);
        var rawKeys = fixture.Raw.Keys.GetAsArray(device.Stream);
        var rawValues = fixture.Raw.Values.GetAsArray(device.Stream);
        var tables = fixture.Raw.Tables.GetAsArray(device.Stream);
        var different = 0;
        for (var p = 0; p < 400; p++)
        {
            for (var h = 0; h < 2; h++)
            {
                var raw = ((((tables[p / 16] * 2) + h) * 16) + (p % 16)) * 64;
                for (var i = 0; i < 64; i++)
                {
                    Assert.Equal((float)rawValues[raw + i], values[Index(fixture, 0, p, h) + i]);
                    different += (float)rawKeys[raw + i] == keys[Index(fixture, 0, p, h) + i] ? 0 : 1;
                }
            }
        }

        // A key element that is far smaller than its rotation partner may lose its last bit.
        Assert.InRange(different, 0, 400 * 2 * 64 / 50);
    }

    [Theory]
    [InlineData("mixed", 64, 2, 2, 4, 16, false, 1)]
    [InlineData("mixed", 64, 8, 2, 1, 16, true, 3)]
    [InlineData("token4", 128, 8, 2, 4, 4, true, 2)]
    [InlineData("hadamard4", 128, 10, 1, 0, 16, false, 2)]
    [InlineData("mixed", 80, 3, 1, 2, 16, true, 1)]
    [InlineData("hadamard3", 64, 4, 2, 0, 16, true, 2)]
    [InlineData("token3", 80, 2, 2, 1, 16, false, 2)]
    [InlineData("identity", 96, 4, 4, 0, 16, false, 5)]
    [InlineData("mixed:wc", 64, 4, 2, 2, 16, false, 2)]
    [InlineData("token4:cwc", 128, 3, 3, 0, 16, true, 1)]
    [InlineData("mixed:ww", 80, 2, 2, 0, 16, false, 3)]
    public void Decoding_fused_equals_reconstructing_first(
        string name, int headDim, int queryHeads, int keyHeads, int neighbours, int referenceBits, bool selects, int splits)
    {
        int[] lengths = [1, 17, 150, 333];
        using var fixture = Create(name, headDim, queryHeads, keyHeads, neighbours, referenceBits, lengths);
        var kernel = new ReaderDecodeKernel<CodeReader>(device.Accelerator);

        // Rows are not in the order of the tables.
        Check(fixture, selects ? 5 : 0).Decode(kernel, [2, 0, 3, 1, 0], [149, 0, 332, 16, -1], splits, sumTolerance: 2e-2);
    }

    [Theory]
    [InlineData("mixed", 64, 2, 2, 4, 16, false)]
    [InlineData("mixed", 64, 3, 1, 1, 16, true)]
    [InlineData("token4", 128, 4, 1, 4, 4, false)]
    [InlineData("hadamard4", 80, 2, 1, 0, 16, false)]
    [InlineData("identity", 96, 2, 2, 2, 16, true)]
    [InlineData("mixed:cw", 64, 4, 2, 4, 16, true)]
    [InlineData("identity:ww", 64, 2, 2, 0, 16, false)]
    public void Prefilling_fused_equals_reconstructing_first(
        string name, int headDim, int queryHeads, int keyHeads, int neighbours, int referenceBits, bool selects)
    {
        int[] lengths = [10, 60, 300];
        using var fixture = Create(name, headDim, queryHeads, keyHeads, neighbours, referenceBits, lengths);

        // Chunks end at the sequence's end and start anywhere behind its coded part.
        Check(fixture, selects ? 7 : 0).Prefill([(1, 3), (0, 10), (2, 25)], lengths);
    }

    [Theory]
    [InlineData("mixed", 64, 2)]
    [InlineData("identity", 80, 1)]
    public void Reconstructs_without_what_is_left_out(string name, int headDim, int keyHeads)
    {
        const int Length = 333;
        const int Selected = 48;
        using var fixture = Create(name, headDim, keyHeads, keyHeads, 0, 16, [Length]);
        fixture.Compress();
        var (keys, values) = Reconstruct(fixture, 0);
        var (start, end) = (CodedFixture.Sinks, CodedFixture.CodedEnd(Length));
        var random = new Random(headDim);
        int[][][] selection = [[.. Enumerable.Range(0, keyHeads).Select(_ => Enumerable.Range(start, end - start).OrderBy(_ => random.Next()).Take(Selected).Order().ToArray())]];
        var leftOut = end - start - Selected;
        var count = Blocks(fixture) * fixture.Shape.BlockElements;
        using var compactKeys = device.Poisoned<BFloat16>(count);
        using var compactValues = device.Poisoned<BFloat16>(count);
        new ReconstructKernel<CodeReader>(device.Accelerator).Launch(
            device.Stream, fixture.Reader(0), Order(fixture, selection, 0), 0, Length, leftOut, compactKeys.View, compactValues.View, fixture.Shape);
        var (actualKeys, actualValues) = (Numbers.Widen(device.Download(compactKeys, count)), Numbers.Widen(device.Download(compactValues, count)));
        for (var head = 0; head < keyHeads; head++)
        {
            int[] read = [.. Enumerable.Range(0, start), .. selection[0][head], .. Enumerable.Range(end, Length - end)];
            Assert.Equal(Length - leftOut, read.Length);
            for (var i = 0; i < read.Length; i++)
            {
                Assert.True(keys.AsSpan(Index(fixture, 0, read[i], head), headDim).SequenceEqual(actualKeys.AsSpan(Index(fixture, 0, i, head), headDim)));
                Assert.True(values.AsSpan(Index(fixture, 0, read[i], head), headDim).SequenceEqual(actualValues.AsSpan(Index(fixture, 0, i, head), headDim)));
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void Every_head_reads_its_own_tokens_or_pages(int shift)
    {
        int[] lengths = [200, 333];
        using var fixture = Create("mixed", 64, 6, 3, 0, 16, lengths);
        var shape = fixture.Shape;
        fixture.Compress();
        var (keys, values) = Reconstruct(fixture, 0);
        var random = new Random(shift);
        int[][][] selection = [.. lengths.Select(length => Enumerable.Range(0, 3).Select(_ => Enumerable.Range(
            CodedFixture.Sinks >> shift, (CodedFixture.CodedEnd(length) - CodedFixture.Sinks) >> shift).Where(_ => random.Next(4) == 0).ToArray()).ToArray())];
        var qkv = Numbers.BFloat16s(9, 2 * shape.QkvWidth, 2f);
        using var output = device.Poisoned<BFloat16>(2 * shape.OutputWidth);
        using var prefilled = device.Poisoned<BFloat16>(2 * shape.OutputWidth);
        var order = Order(fixture, selection, shift);
        var rows = fixture.Upload(qkv).Cast<uint>();
        new ReaderDecodeKernel<CodeReader>(device.Accelerator).Launch(
            device.Stream,
            new DecodeArguments<CodeReader>
            {
                Reader = fixture.Reader(0),
                Rows = new TokenRows(fixture.Upload([0, 1]), fixture.Upload([199, 332])),
                Order = order,
                Qkv = rows,
                Output = output.View.BaseView.Cast<BFloat16x2>(),
                Splits = 1,
            },
            shape,
            2);
        new ReaderPrefillKernel<CodeReader>(device.Accelerator).Launch(
            device.Stream,
            new PrefillReadArguments<CodeReader>
            {
                Reader = fixture.Reader(0),
                Tiles = fixture.Upload([new PrefillTile(0, 0, 1, 199), new PrefillTile(1, 1, 1, 332)]),
                Order = order,
                Qkv = rows,
                Output = prefilled.View.BaseView.Cast<BFloat16x2>(),
            },
            shape,
            2);

        var queries = Numbers.Widen(qkv);
        float[][] actual = [Numbers.Widen(device.Download(output, 2 * shape.OutputWidth)), Numbers.Widen(device.Download(prefilled, 2 * shape.OutputWidth))];
        for (var i = 0; i < 2 * 6; i++)
        {
            var (s, h) = (i / 6, i % 6);
            int[] read = [.. selection[s][h / 2].SelectMany(entry => Enumerable.Range(entry << shift, 1 << shift))];
            var (expected, _) = Attend(fixture, keys, values, queries.AsSpan((s * shape.QkvWidth) + (h * 64), 64).ToArray(), s, lengths[s] - 1, h / 2, read);
            foreach (var result in actual)
                Numbers.AssertClose(expected, result.AsSpan((s * shape.OutputWidth) + (h * 64), 64).ToArray(), AttentionTolerance, 1e-2, $"sequence {s} head {h}");
        }
    }

    [Fact]
    public void Heads_without_history_can_attend_alone()
    {
        using var fixture = Create("mixed:wcw", 64, 6, 3, 0, 16, [333]);
        var shape = fixture.Shape;
        fixture.Compress();
        var (keys, values) = Reconstruct(fixture, 0);
        const int Count = 20;
        const int First = 333 - Count;
        var qkv = Numbers.BFloat16s(9, Count * shape.QkvWidth, 2f);
        var before = Numbers.BFloat16s(10, Count * shape.OutputWidth, 2f);
        var output = fixture.Upload(before);
        new ReaderPrefillKernel<CodeReader>(device.Accelerator).Launch(
            device.Stream,
            new PrefillReadArguments<CodeReader>
            {
                Reader = fixture.Reader(0),
                Tiles = fixture.Upload([new PrefillTile(0, 0, Count, First)]),
                Order = Order(fixture, null),
                Qkv = fixture.Upload(qkv).Cast<uint>(),
                Output = output.Cast<BFloat16x2>(),
                WindowHeadsOnly = 1,
            },
            shape,
            1);

        var (actual, queries) = (Numbers.Widen(output.GetAsArray(device.Stream)), Numbers.Widen(qkv));
        for (var i = 0; i < Count * shape.QueryHeads; i++)
        {
            var (row, h) = (i / shape.QueryHeads, i % shape.QueryHeads);
            var at = (row * shape.OutputWidth) + (h * 64);
            var (expected, _) = Attend(
                fixture, keys, values, queries.AsSpan((row * shape.QkvWidth) + (h * 64), 64).ToArray(), 0, First + row, h / shape.GroupSize, null);
            if (h / shape.GroupSize == 1)
                expected = [.. Numbers.Widen(before).AsSpan(at, 64).ToArray().Select(value => (double)value)];
            Numbers.AssertClose(expected, actual.AsSpan(at, 64).ToArray(), h / shape.GroupSize == 1 ? 0 : AttentionTolerance, 1e-2, $"row {row} head {h}");
        }
    }

    /// <summary>Attention fused with reading beside attention over what was reconstructed first.</summary>
    private AttentionCheck<CodeReader> Check(CodedFixture fixture, int every)
    {
        fixture.Compress();
        var (keys, values) = Reconstruct(fixture, 0);
        var selection = Selection(fixture, every);
        return new AttentionCheck<CodeReader>(
            device, fixture.Shape, fixture.Reader(0), Order(fixture, selection),
            (query, sequence, position, head) => Attend(fixture, keys, values, query, sequence, position, head, selection?[sequence]), AttentionTolerance);
    }

    private static int Index(CodedFixture fixture, int sequence, int position, int head) =>
        ((((((sequence * Blocks(fixture)) + (position / 64)) * fixture.Shape.KeyHeads) + head) * 64) + (position % 64)) * fixture.Shape.HeadDim;

    private static int Blocks(CodedFixture fixture) => (fixture.Lengths.Max() + 63) / 64;

    private static void Check(double expected, float actual, bool isCoded, string what)
    {
        // The result is rounded to bf16; codes lose a little more in fp16 scales and sums.
        var tolerance = (Math.Abs(expected) / 256) + (isCoded ? 1e-2 : 2e-2);
        Assert.True(Math.Abs(expected - actual) <= tolerance, $"{what}: {actual:g6}, expected {expected:g6}.");
    }

    private static (double[] Output, double LogSumExp) Attend(
        CodedFixture fixture, float[] keys, float[] values, float[] query, int sequence, int position, int head, int[]? selected)
    {
        var end = CodedFixture.CodedEnd(fixture.Lengths[sequence]);
        if (!fixture.Codecs[0].KeepsHistory(head))
            selected = [];
        var read = Enumerable.Range(0, position + 1)
            .Where(p => selected is null || p < CodedFixture.Sinks || p >= end || selected.Contains(p)).ToArray();
        var dim = fixture.Shape.HeadDim;
        var scores = read.Select(p =>
        {
            var at = Index(fixture, sequence, p, head);
            return Enumerable.Range(0, dim).Sum(i => (double)query[i] * keys[at + i]) / Math.Sqrt(dim);
        }).ToArray();
        var largest = scores.Max();
        var total = scores.Sum(score => Math.Exp(score - largest));
        var output = new double[dim];
        for (var n = 0; n < read.Length; n++)
        {
            var at = Index(fixture, sequence, read[n], head);
            for (var i = 0; i < dim; i++)
                output[i] += Math.Exp(scores[n] - largest) / total * values[at + i];
        }

        return (output, largest + Math.Log(total));
    }

    private static int[][]? Selection(CodedFixture fixture, int every)
    {
        if (every == 0)
            return null;
        var random = new Random(4);
        return [.. fixture.Lengths.Select(length => Enumerable.Range(CodedFixture.Sinks, CodedFixture.CodedEnd(length) - CodedFixture.Sinks)
            .Where(_ => random.Next(every) == 0).ToArray())];
    }

    private static TokenOrder Order(CodedFixture fixture, int[][][] selection, int shift)
    {
        var heads = fixture.Shape.KeyHeads;
        var stride = selection.Max(lists => lists.Max(list => list.Length)) + 1;
        var all = new int[selection.Length * heads * stride];
        for (var i = 0; i < selection.Length * heads; i++)
            selection[i / heads][i % heads].CopyTo(all, i * stride);
        var counts = selection.SelectMany(lists => lists.Select(list => list.Length)).ToArray();
        return new TokenOrder(fixture.Bounds, fixture.Upload(all), fixture.Upload(counts), stride, heads, shift);
    }

    private static TokenOrder Order(CodedFixture fixture, int[][]? selection)
    {
        var windowHeads = fixture.Codecs[0].WindowHeads;
        if (selection is null)
            return new TokenOrder(fixture.Bounds, default, default, 0, windowHeads: windowHeads);
        var stride = selection.Max(list => list.Length) + 1;
        var lists = new int[selection.Length * stride];
        for (var s = 0; s < selection.Length; s++)
            selection[s].CopyTo(lists, s * stride);
        return new TokenOrder(
            fixture.Bounds, fixture.Upload(lists), fixture.Upload(selection.Select(list => list.Length).ToArray()), stride, windowHeads: windowHeads);
    }

    private (float[] Keys, float[] Values) Reconstruct(CodedFixture fixture, int layer)
    {
        var count = fixture.Lengths.Length * Blocks(fixture) * fixture.Shape.BlockElements;
        using var keys = device.Poisoned<BFloat16>(count);
        using var values = device.Poisoned<BFloat16>(count);
        var size = Blocks(fixture) * fixture.Shape.BlockElements;
        for (var s = 0; s < fixture.Lengths.Length; s++)
        {
            new ReconstructKernel<CodeReader>(device.Accelerator).Launch(
                device.Stream, fixture.Reader(layer), TokenOrder.All(fixture.Bounds), s, fixture.Lengths[s], 0, keys.View.SubView((long)s * size, size),
                values.View.SubView((long)s * size, size), fixture.Shape);
        }

        return (Numbers.Widen(device.Download(keys, count)), Numbers.Widen(device.Download(values, count)));
    }

    private CodedFixture Create(string name, int headDim, int queryHeads, int keyHeads, int neighbours, int referenceBits, int[] lengths)
    {
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        LinearCodec[] codecs =
        [
            CodecSamples.Create(name, keyHeads, headDim, neighbours, 1),
            CodecSamples.Create(name, keyHeads, headDim, neighbours, 2),
        ];
        return new CodedFixture(device, shape, codecs, lengths, referenceBits, 5);
    }
}
