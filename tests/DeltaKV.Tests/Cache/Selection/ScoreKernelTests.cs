using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression.Codes;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Compression.Codes;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Cache.Selection;

[Collection(KernelCollection.Name)]
public sealed class ScoreKernelTests(KernelFixture device)
{
    [Theory]
    [InlineData(64, 2, 2, false, "identity")]
    [InlineData(64, 12, 1, false, "identity")]
    [InlineData(128, 8, 2, false, "identity")]
    [InlineData(128, 8, 2, true, "identity")]
    [InlineData(64, 24, 2, true, "identity")]
    [InlineData(80, 3, 1, false, "identity")]
    [InlineData(64, 6, 3, true, "identity:cwc")]
    [InlineData(80, 2, 2, false, "identity:wc")]
    public void Scores_are_the_largest_softmax_over_heads(int headDim, int queryHeads, int keyHeads, bool perHead, string name)
    {
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        int[] lengths = [40, 170];
        using var fixture = new CodedFixture(device, shape, [CodecSamples.Create(name, keyHeads, headDim, 0, 1)], lengths, 16, 5);
        fixture.Compress();
        int[] rowSequences = [1, 0];
        var qkv = Numbers.BFloat16s(9, 2 * shape.QkvWidth, 1f);
        const int Stride = 200;
        var lists = perHead ? keyHeads : 1;
        using var output = device.Poisoned<BFloat16>(2 * shape.OutputWidth);
        using var logSumExp = device.Poisoned<float>(2 * queryHeads);
        using var scores = device.Poisoned<float>(2 * lists * Stride);
        var arguments = new DecodeArguments<CodeReader>
        {
            Reader = fixture.Reader(0),
            Rows = new TokenRows(fixture.Upload(rowSequences), fixture.Upload([169, 39])),
            Order = new TokenOrder(fixture.Bounds, default, default, 0, windowHeads: fixture.Codecs[0].WindowHeads),
            Qkv = fixture.Upload(qkv).Cast<uint>(),
            Output = output.View.BaseView.Cast<BFloat16x2>(),
            LogSumExp = logSumExp.View,
            Splits = 1,
        };
        new ReaderDecodeKernel<CodeReader>(device.Accelerator).Launch(device.Stream, arguments, shape, 2);
        new ScoreKernel<CodeReader>(device.Accelerator).Launch(device.Stream, arguments, scores.View, Stride, lists, shape, 2);

        var actual = device.Download(scores, 2 * lists * Stride);
        var queries = Numbers.Widen(qkv);
        for (var i = 0; i < 2 * lists; i++)
        {
            var (row, list) = (i / lists, i % lists);
            var s = rowSequences[row];
            var best = new double[lengths[s]];
            for (var h = 0; h < queryHeads; h++)
            {
                // Heads without history have no say, and choose what all others do.
                if (!fixture.Codecs[0].KeepsHistory(h / shape.GroupSize)
                    || (perHead && fixture.Codecs[0].KeepsHistory(list) && h / shape.GroupSize != list))
                    continue;
                var weights = Softmax(fixture, queries.AsSpan((row * shape.QkvWidth) + (h * headDim), headDim).ToArray(), s, h / shape.GroupSize);
                for (var p = 0; p < best.Length; p++)
                    best[p] = Math.Max(best[p], weights[p]);
            }

            for (var p = CodedFixture.Sinks; p < CodedFixture.CodedEnd(lengths[s]); p++)
            {
                // Keys are rounded to bf16 before and after the rotation: scores of a few units carry 2^-8 each.
                var score = actual[(i * Stride) + p - CodedFixture.Sinks];
                Assert.True(Math.Abs(score - best[p]) <= (0.05 * best[p]) + 1e-5, $"Row {row}, list {list}, position {p}: {score:g6}, expected {best[p]:g6}.");
            }
        }
    }

    private static double[] Softmax(CodedFixture fixture, float[] query, int sequence, int head)
    {
        var dim = fixture.Shape.HeadDim;
        var scores = fixture.Kv[0][sequence].Select((row, p) =>
        {
            var key = row.AsSpan(head * dim, dim).ToArray();
            fixture.Rotate(key, p, back: false);
            return key.Select((value, i) => value * query[i]).Sum() / Math.Sqrt(dim);
        }).ToArray();
        var largest = scores.Max();
        var total = scores.Sum(score => Math.Exp(score - largest));
        return Array.ConvertAll(scores, score => Math.Exp(score - largest) / total);
    }
}
