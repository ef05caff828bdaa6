using DeltaKV.Cache.Selection;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Cache.Selection;

[Collection(KernelCollection.Name)]
public sealed class TopTokensKernelTests(KernelFixture device)
{
    [Theory]
    [InlineData(1, 1, 0f)]
    [InlineData(17, 5, 0f)]
    [InlineData(4096, 256, 0f)]
    [InlineData(4097, 4096, 0f)]
    [InlineData(9000, 1, 0.17f)]
    [InlineData(9, 0, 0.1f)]
    [InlineData(20000, 2048, 0f)]
    public void Selects_the_largest_in_order(int count, int tokens, float share) => SelectsInOrder(count, tokens, share, null);

    [Theory]
    [InlineData(17, 5, 0f)]
    [InlineData(4097, 4096, 0f)]
    [InlineData(9000, 1, 0.17f)]
    [InlineData(20000, 2048, 0f)]
    public void Candidates_change_nothing(int count, int tokens, float share)
    {
        // The same room again and again: every launch must leave it as it found it.
        using var candidates = new TopCandidates(device.Accelerator, 2, count + 3);
        SelectsInOrder(count, tokens, share, candidates);
        SelectsInOrder(count, tokens, share, candidates);
    }

    private void SelectsInOrder(int count, int tokens, float share, TopCandidates? candidates)
    {
        foreach (var distinct in new[] { int.MaxValue, 7, 1 })
        {
            var random = new Random(count + distinct);
            var scores = Enumerable.Range(0, count)
                .Select(_ => distinct == int.MaxValue ? MathF.Exp(-40f * random.NextSingle()) : random.Next(distinct) / 8f).ToArray();
            var wanted = Math.Max(Math.Max(tokens, 1), (int)(share * count));
            var (list, selected) = Run(scores, new SelectionBudget(tokens, share), candidates);
            if (count <= wanted)
            {
                Assert.Equal(-1, selected);
                continue;
            }

            var expected = Enumerable.Range(0, count).OrderByDescending(i => scores[i]).ThenBy(i => i).Take(wanted).Order().Select(i => i + 16);
            Assert.Equal(wanted, selected);
            Assert.Equal(expected, list[..selected]);
        }
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(2, 4)]
    public void Every_head_selects_for_itself_tokens_or_pages(int heads, int shift)
    {
        // Two rows of two sequences in swapped order; keys of all sizes, so that bits order where floats would not.
        var random = new Random(heads);
        int[] items = [40, 700];
        var keys = new uint[2 * heads * 700];
        for (var i = 0; i < keys.Length; i++)
            keys[i] = (uint)random.NextInt64(uint.MaxValue);
        using var counts = device.Poisoned<int>(2 * heads);
        using var lists = device.Poisoned<int>(2 * heads * 50);
        using var bounds = device.Upload([.. items.Select(count => new ReadBounds(32, 32 + (count << shift)))]);
        using var sequences = device.Upload([1, 0]);
        using var positions = device.Upload([20000, 20000]);
        using var candidates = shift == 0 ? new TopCandidates(device.Accelerator, 2 * heads, 700) : null;
        using var uploaded = device.Upload(keys);
        new TopTokensKernel(device.Accelerator, candidates).Launch(
            device.Stream,
            TopTokensKernel.Arguments(
                new TokenRows(sequences.View, positions.View), bounds.View, uploaded.View.BaseView.Cast<float>(), 700, lists.View, 50, counts.View,
                new SelectionBudget((20 << shift) - 3 + (shift == 0 ? 3 : 0), 0), shift),
            2,
            heads);
        var list = device.Download(lists, 2 * heads * 50);
        Assert.All(device.Download(counts, 2 * heads), count => Assert.Equal(20, count));
        for (var row = 0; row < 2; row++)
        {
            for (var head = 0; head < heads; head++)
            {
                var sequence = 1 - row;
                var scores = keys.AsSpan(((row * heads) + head) * 700, items[sequence]).ToArray();
                var expected = Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).Take(20).Order().Select(i => i + (32 >> shift));
                Assert.Equal(expected, list.AsSpan(((sequence * heads) + head) * 50, 20).ToArray());
            }
        }
    }

    [Fact]
    public void A_padding_row_selects_nothing()
    {
        using var counts = device.Upload([77]);
        using var lists = device.Upload(new int[8]);
        using var bounds = device.Upload([new ReadBounds(16, 48)]);
        using var sequences = device.Upload([0]);
        using var positions = device.Upload([-1]);
        using var scores = device.Upload(new float[32]);
        new TopTokensKernel(device.Accelerator).Launch(
            device.Stream,
            TopTokensKernel.Arguments(new TokenRows(sequences.View, positions.View), bounds.View, scores.View, 32, lists.View, 8, counts.View, new SelectionBudget(4, 0)),
            1);
        device.Stream.Synchronize();
        Assert.Equal(77, counts.GetAsArray1D()[0]);
    }

    private (int[] List, int Count) Run(float[] scores, SelectionBudget budget, TopCandidates? candidates)
    {
        // The scored row is the second, of sequence 1; the first has fewer tokens than its budget.
        var stride = scores.Length + 3;
        var rows = new float[2 * stride];
        scores.CopyTo(rows, stride);
        var listStride = budget.MaxTokens(scores.Length) + 1;
        using var counts = device.Upload([55, 55]);
        using var lists = device.Poisoned<int>(2 * listStride);
        using var bounds = device.Upload([new ReadBounds(16, 17), new ReadBounds(16, 16 + scores.Length)]);
        using var sequences = device.Upload([0, 1]);
        using var positions = device.Upload([40, scores.Length + 100]);
        using var uploaded = device.Upload(rows);
        new TopTokensKernel(device.Accelerator, candidates).Launch(
            device.Stream,
            TopTokensKernel.Arguments(new TokenRows(sequences.View, positions.View), bounds.View, uploaded.View, stride, lists.View, listStride, counts.View, budget),
            2);
        var list = device.Download(lists, 2 * listStride)[listStride..];
        var selected = counts.GetAsArray1D();
        Assert.Equal(-1, selected[0]);
        return (list, selected[1]);
    }
}
