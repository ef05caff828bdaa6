using DeltaKV.Cache.Reading;
using DeltaKV.Cache.Selection;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Cache.Selection;

[Collection(KernelCollection.Name)]
public sealed class LogitScoresTests(KernelFixture device)
{
    private const int Stride = 2100;

    /// <summary>Raw layers: attention is what it is without an observer, and what it leaves behind gives the scores, and the selection, that reading the keys again gives.</summary>
    [Theory]
    [InlineData(8, 2, 128, false)]
    [InlineData(4, 2, 64, true)]
    [InlineData(12, 1, 64, false)]
    [InlineData(3, 1, 80, false)]
    [InlineData(16, 1, 128, false)]
    public void Observed_attention_leaves_the_scores_behind(int queryHeads, int keyHeads, int headDim, bool perHead)
    {
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        // Less than the budget, one block and a bit, several.
        int[] lengths = [40, 120, 500, 0];
        ReadBounds[] bounds = [new(0, 16), new(16, 96), new(16, 432), new(0, 0)];
        using var cache = new PagedCache<BFloat16>(device, shape, lengths, 3, (seed, count) => Numbers.BFloat16s(seed, count));
        var qkv = Numbers.BFloat16s(7, 4 * shape.QkvWidth, 3f);
        using var qkvs = device.Upload(qkv);
        using var sequences = device.Upload([0, 1, 2, 3]);
        using var positions = device.Upload(lengths.Select(length => length - 1).ToArray());
        using var boundsBuffer = device.Upload(bounds);
        using var output = device.Poisoned<BFloat16>(4 * shape.OutputWidth);
        using var plain = device.Poisoned<BFloat16>(4 * shape.OutputWidth);
        using var logSumExp = device.Poisoned<float>(4 * queryHeads);
        using var logits = device.Poisoned<uint>(4 * keyHeads * Stride * TokenLogits.WidthOf(shape.GroupSize));
        var lists = perHead ? keyHeads : 1;
        using var scores = device.Poisoned<float>(4 * lists * Stride);
        using var again = device.Poisoned<float>(4 * lists * Stride);
        using var selected = device.Poisoned<int>(4 * lists * 32);
        using var counts = device.Poisoned<int>(4 * lists);
        using var candidates = new TopCandidates(device.Accelerator, 4 * lists, Stride);
        using var attention = new DecodeAttention(device.Accelerator, shape, 4);
        using var observed = new ObservedDecode(device.Accelerator, shape, 4);
        var rows = new TokenRows(sequences.View, positions.View);
        var blocks = cache.Blocks;
        var arguments = new DecodeArguments<RawReader>
        {
            Reader = new RawReader(new(blocks.Keys.Cast<BFloat16x8>(), blocks.Values.Cast<BFloat16x8>(), blocks.Tables, blocks.TableStride), keyHeads),
            Rows = rows,
            Order = TokenOrder.All(boundsBuffer.View),
            Qkv = qkvs.View.BaseView.Cast<uint>(),
            Output = output.View.BaseView.SubView(0, 4 * shape.OutputWidth).Cast<BFloat16x2>(),
            LogSumExp = logSumExp.View,
            Logits = new TokenLogits(logits.View, Stride, shape.GroupSize),
        };
        var selection = TopTokensKernel.Arguments(rows, boundsBuffer.View, scores.View, Stride, selected.View, 32, counts.View, new SelectionBudget(20, 0));
        selection.Histograms = candidates.HistogramsFor(4 * lists, Stride);

        attention.Launch(device.Stream, qkvs.View, rows, new(blocks.Keys, blocks.Values, blocks.Tables, blocks.TableStride), plain.View, 4);
        // Twice: the selection must leave its room as it found it.
        for (var time = 0; time < 2; time++)
        {
            observed.Launch(device.Stream, arguments, shape, 4);
            new LogitScores(device.Accelerator).Launch(device.Stream, selection, arguments.Order, arguments.Logits, logSumExp.View, lists, shape, 4);
            new TopTokensKernel(device.Accelerator, candidates).Launch(device.Stream, selection, 4, lists);
        }

        new ScoreKernel<RawReader>(device.Accelerator).Launch(device.Stream, arguments, again.View, Stride, lists, shape, 4);

        Assert.Equal(device.Download(plain, 4 * shape.OutputWidth), device.Download(output, 4 * shape.OutputWidth));
        var (actual, expected) = (device.Download(scores, 4 * lists * Stride), device.Download(again, 4 * lists * Stride));
        var (actualLists, actualCounts) = (device.Download(selected, 4 * lists * 32), device.Download(counts, 4 * lists));
        for (var list = 0; list < 3 * lists; list++)
        {
            var limits = bounds[list / lists];
            var tokens = limits.CodedEnd - limits.CodedStart;
            if (tokens <= 20)
            {
                Assert.Equal(-1, actualCounts[list]);
                continue;
            }

            var own = actual.AsSpan(list * Stride, tokens).ToArray();
            var weights = LogitWeights.Of(own);
            for (var i = 0; i < tokens; i++)
            {
                // Scores below 16 are halves within 2^-8.
                var truth = expected[(list * Stride) + i];
                Assert.True(Math.Abs(weights[i] - truth) <= (0.01 * truth) + 1e-6, $"List {list}, token {i}: {weights[i]:g6}, expected {truth:g6}.");
            }

            Assert.Equal(20, actualCounts[list]);
            Assert.Equal(
                Enumerable.Range(0, tokens).OrderByDescending(i => BitConverter.SingleToUInt32Bits(own[i])).ThenBy(i => i).Take(20).Order().Select(i => i + limits.CodedStart),
                actualLists.AsSpan(list * 32, 20).ToArray());
        }
    }
}
