using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Kivi;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Cache.Reading;
using DeltaKV.Tests.Kernels;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Compression.Kivi;

[Collection(KernelCollection.Name)]
public sealed class KiviReadingTests(KernelFixture device)
{
    /// <summary>Weights pass through bf16 (raw tokens, the general kernel) or halves, outputs through bf16, relative to values of a few units.</summary>
    private const double Tolerance = 2e-2;

    [Theory]
    [InlineData(64, 8, 8, 0)]
    [InlineData(64, 4, 2, 32)]
    [InlineData(128, 4, 4, 0)]
    [InlineData(128, 2, 8, 0)]
    public void Reconstructs_what_is_stored(int headDim, int keyBits, int valueBits, int sinks)
    {
        using var fixture = Create(headDim, 2, 2, keyBits, valueBits, [20, 75, 150], sinks);
        var blocks = (fixture.Lengths.Max() + 63) / 64;
        var size = blocks * fixture.Shape.BlockElements;
        using var keys = device.Poisoned<BFloat16>(size);
        using var values = device.Poisoned<BFloat16>(size);
        var kernel = new ReconstructKernel<KiviReader>(device.Accelerator);
        for (var s = 0; s < fixture.Lengths.Length; s++)
        {
            kernel.Launch(device.Stream, fixture.Reader, TokenOrder.All(fixture.Bounds), s, fixture.Lengths[s], 0, keys.View, values.View, fixture.Shape);
            var (actualKeys, actualValues) = (device.Download(keys, size), device.Download(values, size));
            for (var p = 0; p < fixture.Lengths[s]; p++)
            {
                for (var i = 0; i < 2 * headDim; i++)
                {
                    var at = ((((p / 64 * 2) + (i / headDim)) * 64) + (p % 64)) * headDim + (i % headDim);
                    Assert.Equal((float)BFloat16.FromSingle(Number(fixture, false, s, p, i / headDim, i % headDim)), actualKeys[at]);
                    Assert.Equal((float)BFloat16.FromSingle(Number(fixture, true, s, p, i / headDim, i % headDim)), actualValues[at]);
                }
            }
        }
    }

    public static TheoryData<int, int, int, int, int, int, int, bool, bool> Decodings()
    {
        var data = new TheoryData<int, int, int, int, int, int, int, bool, bool>();
        foreach (var isGeneral in (bool[])[false, true])
        {
            // Dimension, query and key heads, bits of keys and values, sinks, splits.
            data.Add(64, 4, 2, 4, 4, 0, 1, isGeneral, false);
            data.Add(64, 7, 1, 8, 8, 32, 2, isGeneral, false);
            data.Add(64, 2, 2, 2, 2, 0, 3, isGeneral, false);
            data.Add(128, 8, 2, 4, 4, 0, 2, isGeneral, false);
            data.Add(128, 10, 1, 8, 4, 32, 1, isGeneral, false);
            data.Add(128, 4, 1, 2, 8, 0, 2, isGeneral, false);
            data.Add(64, 4, 2, 4, 2, 32, 2, isGeneral, true);
            data.Add(128, 8, 2, 2, 4, 0, 1, isGeneral, true);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Decodings))]
    public void Decodes_as_one_number_at_a_time(int headDim, int queryHeads, int keyHeads, int keyBits, int valueBits, int sinks, int splits, bool isGeneral, bool isRotated)
    {
        int[] lengths = [1, 17, 48, 150, 333];
        using var fixture = Create(headDim, queryHeads, keyHeads, keyBits, valueBits, lengths, sinks, isRotated);
        IDecodeKernel<KiviReader> kernel = isGeneral ? new ReaderDecodeKernel<KiviReader>(device.Accelerator) : new KiviDecodeKernel(device.Accelerator);

        // Rows are not in the order of the tables.
        Check(fixture).Decode(kernel, [3, 0, 4, 1, 2, 0], [149, 0, 332, 16, 47, -1], splits, sumTolerance: 0.1);
    }

    [Theory]
    [InlineData(64, 2, 1, 4, 4)]
    [InlineData(128, 3, 1, 8, 2)]
    public void Prefills_as_one_number_at_a_time(int headDim, int queryHeads, int keyHeads, int keyBits, int valueBits)
    {
        int[] lengths = [10, 60, 200];
        using var fixture = Create(headDim, queryHeads, keyHeads, keyBits, valueBits, lengths, 0);

        Check(fixture).Prefill([(1, 3), (0, 10), (2, 15)], lengths);
    }

    [Theory]
    [InlineData(64, 2, 2, 4, false, false, false)]
    [InlineData(64, 4, 2, 4, false, true, false)]
    [InlineData(128, 8, 2, 4, true, true, false)]
    [InlineData(64, 12, 1, 8, false, false, false)]
    [InlineData(128, 8, 2, 4, true, false, false)]
    [InlineData(128, 8, 2, 2, false, false, false)]
    [InlineData(64, 12, 1, 8, false, false, true)]
    [InlineData(128, 8, 2, 4, true, false, true)]
    [InlineData(128, 6, 2, 2, false, true, true)]
    public void Scores_are_the_largest_softmax_over_heads(int headDim, int queryHeads, int keyHeads, int keyBits, bool perHead, bool isRotated, bool fromLogits)
    {
        int[] lengths = [40, 300];
        using var fixture = Create(headDim, queryHeads, keyHeads, keyBits, 4, lengths, 32, isRotated);
        var shape = fixture.Shape;
        const int Stride = 320;
        var lists = perHead ? keyHeads : 1;
        int[] rowSequences = [1, 0, 0];
        var qkv = Numbers.BFloat16s(9, 3 * shape.QkvWidth, 1f);
        using var output = device.Poisoned<BFloat16>(3 * shape.OutputWidth);
        using var logSumExp = device.Poisoned<float>(3 * queryHeads);
        using var scores = device.Poisoned<float>(3 * lists * Stride);
        var arguments = new DecodeArguments<KiviReader>
        {
            Reader = fixture.Reader,
            Rows = new TokenRows(fixture.Upload(rowSequences), fixture.Upload([299, 39, -1])),
            Order = new TokenOrder(fixture.Bounds, default, default, 0),
            Qkv = fixture.Upload(qkv).Cast<uint>(),
            Output = output.View.BaseView.Cast<BFloat16x2>(),
            LogSumExp = logSumExp.View,
            Splits = 1,
            Logits = fromLogits
                ? new TokenLogits(fixture.Upload(Enumerable.Repeat(uint.MaxValue, 3 * keyHeads * Stride * TokenLogits.WidthOf(shape.GroupSize)).ToArray()), Stride, shape.GroupSize)
                : default,
        };
        new KiviDecodeKernel(device.Accelerator).Launch(device.Stream, arguments, shape, 3);
        if (fromLogits)
        {
            var selection = TopTokensKernel.Arguments(arguments.Rows, fixture.Bounds, scores.View, Stride, default, 0, default, new SelectionBudget(1, 0));
            new LogitScores(device.Accelerator).Launch(device.Stream, selection, arguments.Order, arguments.Logits, logSumExp.View, lists, shape, 3);
        }
        else
        {
            new KiviScoreKernel(device.Accelerator).Launch(device.Stream, arguments, scores.View, Stride, lists, shape, 3);
        }

        var actual = device.Download(scores, 3 * lists * Stride);
        actual = fromLogits ? LogitWeights.Of(actual) : actual;
        var queries = Numbers.Widen(qkv);
        for (var i = 0; i < 2 * lists; i++)
        {
            var (row, list) = (i / lists, i % lists);
            var s = rowSequences[row];
            var best = new double[lengths[s]];
            for (var h = list * queryHeads / lists; h < (list + 1) * queryHeads / lists; h++)
            {
                var weights = Softmax(fixture, queries.AsSpan((row * shape.QkvWidth) + (h * headDim), headDim).ToArray(), s, lengths[s] - 1, h / shape.GroupSize).Weights;
                for (var p = 0; p < best.Length; p++)
                    best[p] = Math.Max(best[p], weights[p]);
            }

            for (var p = fixture.Sinks; p < fixture.CodedEnd(lengths[s]); p++)
            {
                // Steps times q are halves: scores of a few tens carry 2^-12 each.
                var score = actual[(i * Stride) + p - fixture.Sinks];
                Assert.True(Math.Abs(score - best[p]) <= (0.03 * best[p]) + 1e-6, $"Row {row}, list {list}, slot {p}: {score:g6}, expected {best[p]:g6}.");
            }
        }
    }

    private AttentionCheck<KiviReader> Check(KiviFixture fixture) => new(
        device, fixture.Shape, fixture.Reader, TokenOrder.All(fixture.Bounds),
        (query, sequence, position, head) => Attend(fixture, query, sequence, position, head), Tolerance);

    private static float Number(KiviFixture fixture, bool isValue, int sequence, int slot, int head, int channel)
    {
        if (!fixture.IsCoded(sequence, slot))
            return fixture.RawOf(isValue, sequence, slot, head, channel);
        return fixture.Decoded(isValue, sequence, slot, head)[channel];
    }

    private static (double[] Output, double LogSumExp) Attend(KiviFixture fixture, float[] query, int sequence, int position, int head)
    {
        var (weights, sum) = Softmax(fixture, query, sequence, position, head);
        var output = new double[query.Length];
        for (var p = 0; p <= position; p++)
        {
            for (var i = 0; weights[p] > 1e-9 && i < output.Length; i++)
                output[i] += weights[p] * Number(fixture, true, sequence, p, head, i);
        }

        return (output, sum);
    }

    private static (double[] Weights, double LogSumExp) Softmax(KiviFixture fixture, float[] query, int sequence, int position, int head)
    {
        var scores = Enumerable.Range(0, position + 1)
            .Select(p => query.Select((q, i) => (double)q * Number(fixture, false, sequence, p, head, i)).Sum() / Math.Sqrt(query.Length)).ToArray();
        var largest = scores.Max();
        var total = scores.Sum(score => Math.Exp(score - largest));
        return (Array.ConvertAll(scores, score => Math.Exp(score - largest) / total), largest + Math.Log(total));
    }

    private KiviFixture Create(int headDim, int queryHeads, int keyHeads, int keyBits, int valueBits, int[] lengths, int sinks, bool isRotated = false)
    {
        var fixture = new KiviFixture(device, new AttentionShape(queryHeads, keyHeads, headDim), new KiviCode(keyBits, valueBits, isRotated), lengths, sinks, 5);
        fixture.Compress();
        return fixture;
    }
}
