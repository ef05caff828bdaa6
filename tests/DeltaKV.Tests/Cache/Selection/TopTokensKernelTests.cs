using DeltaKV.Cache.Reading;
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
    [InlineData(20000, 2048, 0f)]
    public void Selects_the_largest_in_order(int count, int tokens, float share)
    {
        foreach (var distinct in new[] { int.MaxValue, 7, 1 })
        {
            var random = new Random(count + distinct);
            var scores = Enumerable.Range(0, count)
                .Select(_ => distinct == int.MaxValue ? MathF.Exp(-40f * random.NextSingle()) : random.Next(distinct) / 8f).ToArray();
            var wanted = Math.Max(tokens, (int)(share * count));
            var (list, selected) = Run(scores, new SelectionBudget(tokens, share));
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
            device.Stream, new TokenRows(sequences.View, positions.View), bounds.View, scores.View, 32, lists.View, 8, counts.View, new SelectionBudget(4, 0), 1);
        device.Stream.Synchronize();
        Assert.Equal(77, counts.GetAsArray1D()[0]);
    }

    private (int[] List, int Count) Run(float[] scores, SelectionBudget budget)
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
        new TopTokensKernel(device.Accelerator).Launch(
            device.Stream, new TokenRows(sequences.View, positions.View), bounds.View, uploaded.View, stride, lists.View, listStride, counts.View, budget, 2);
        var list = device.Download(lists, 2 * listStride)[listStride..];
        var selected = counts.GetAsArray1D();
        Assert.Equal(-1, selected[0]);
        return (list, selected[1]);
    }
}
