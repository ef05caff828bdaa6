using DeltaKV.Cache;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression;
using DeltaKV.Compression.Quest;
using DeltaKV.Gpu;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.Quest;

[Collection(KernelCollection.Name)]
public sealed class QuestKvLayersTests(KernelFixture device)
{
    private const int Layers = 2;

    /// <summary>Weights pass through bf16 once, outputs too, relative to values of a few units.</summary>
    private const double Tolerance = 3e-2;

    private static readonly KvLimits Limits = new(4, 128, 1024, 0);

    [Theory]
    [InlineData(64, 0)]
    [InlineData(40, 0)]
    [InlineData(0, 25)]
    public void Reads_the_pages_that_could_score_highest(int tokens, int share)
    {
        using var fixture = Open(new QuestOptions { Budget = new SelectionBudget(tokens, share / 100f), DenseLayers = 1 });
        var steps = new (ISequenceCache Cache, int[] Tokens)[] { Fill(fixture, 1, 335), Fill(fixture, 2, 48), Fill(fixture, 3, 9) };
        // Over the end of a page: the bounds of what decoding fills are made too.
        for (var step = 0; step < 3; step++)
            Check(fixture, steps, Math.Max((tokens + 15) / 16, 0), share / 100.0, step);
    }

    [Fact]
    public void A_prompt_that_begins_alike_finds_the_bounds_of_what_it_shares()
    {
        using var fixture = Open(new QuestOptions { Budget = new SelectionBudget(32, 0), DenseLayers = 0 });
        var first = Fill(fixture, 5, 300);
        first.Cache.Release();
        // 128 shared tokens in whole blocks and 41 in a copy, whose last page is not whole.
        int[] tokens = [.. first.Tokens[..169], .. Tokens(6, 200)];
        var second = fixture.Layers.Cache.Open();
        Assert.True(second.TryAdmit(tokens));
        Assert.Equal(169, second.Length);
        fixture.Extend(second, tokens, 250, 50, Layers);
        Check(fixture, [(second, tokens)], 2, 0, 7);
    }

    [Fact]
    public void Counts_what_it_stores()
    {
        using var fixture = Open(new QuestOptions());
        var (cache, _) = Fill(fixture, 1, 100);
        // Two blocks of 64 tokens, and 8 pages of a largest and a smallest key each; two entries of the block table.
        const int Row = 2 * 64 * 2;
        Assert.Equal(2 * 64L * Layers * 2 * Row, cache.Usage.RawBytes);
        Assert.Equal((8L * Layers * 2 * Row) + 8, cache.Usage.MetadataBytes);
        Assert.InRange(cache.Usage.Ratio, 128 / 100.0, 1.07 * 128 / 100);
    }

    [Fact]
    public void A_budget_that_covers_everything_reads_as_the_uncompressed_cache_does()
    {
        using var fixture = Open(new QuestOptions { Budget = new SelectionBudget(Limits.SequenceTokens, 0) });
        using var full = new PartialReadFixture(device, (stream, kernels) => new RawKvLayers<BFloat16>(stream, kernels, Layers, 40, 4, true));
        var qkv = Enumerable.Range(0, Layers).Select(layer => PartialReadFixture.Queries(layer, 1)).ToArray();
        Assert.Equal(full.Decode([Fill(full, 4, 150)], qkv), fixture.Decode([Fill(fixture, 4, 150)], qkv));
    }

    private static void Check(PartialReadFixture fixture, (ISequenceCache Cache, int[] Tokens)[] steps, int pages, double share, int seed)
    {
        var qkv = Enumerable.Range(0, Layers).Select(layer => PartialReadFixture.Queries((seed * Layers) + layer, steps.Length)).ToArray();
        var lengths = steps.Select(step => step.Cache.Length).ToArray();
        var outputs = fixture.Decode(steps, qkv);
        var (shape, layer) = (PartialReadFixture.Shape, Layers - 1);
        for (var s = 0; s < steps.Length; s++)
        {
            for (var head = 0; head < shape.KeyHeads; head++)
            {
                var queries = Enumerable.Range(head * shape.GroupSize, shape.GroupSize)
                    .Select(h => qkv[layer].AsSpan((s * shape.QkvWidth) + (h * shape.HeadDim), shape.HeadDim).ToArray()).ToArray();
                var read = Read(queries, steps[s].Tokens, layer, head, lengths[s], pages, share);
                for (var h = 0; h < shape.GroupSize; h++)
                {
                    var (_, expected) = PartialReadFixture.Attend(queries[h], steps[s].Tokens, layer, head, read);
                    var actual = outputs[layer][s].AsSpan(((head * shape.GroupSize) + h) * shape.HeadDim, shape.HeadDim).ToArray();
                    Numbers.AssertClose(expected, actual, Tolerance, 1e-2, $"step {seed} sequence {s} head {head}.{h}");
                }
            }
        }
    }

    /// <summary>Positions of the best pages by their bounds, and all from the last whole page on.</summary>
    private static int[] Read(float[][] queries, int[] tokens, int layer, int head, int length, int pages, double share)
    {
        var whole = length / 16;
        var bounds = new double[whole];
        for (var page = 0; page < whole; page++)
        {
            var keys = Enumerable.Range(16 * page, 16).Select(p => PartialReadFixture.Row(tokens[p], p, layer, head, isValue: false)).ToArray();
            bounds[page] = queries.Max(query => Enumerable.Range(0, query.Length).Sum(c => Math.Max((double)query[c] * keys.Max(key => key[c]), (double)query[c] * keys.Min(key => key[c]))));
        }

        var wanted = Math.Max(Math.Max(pages, 1), (int)((float)share * whole));
        var best = Enumerable.Range(0, whole).OrderByDescending(page => bounds[page]).Take(wanted).SelectMany(page => Enumerable.Range(16 * page, 16));
        return [.. best.Order(), .. Enumerable.Range(16 * whole, length + 1 - (16 * whole))];
    }

    private PartialReadFixture Open(QuestOptions options) =>
        new(device, (stream, kernels) => new QuestKvLayers(stream, kernels, options, Layers, 40, Limits, prefixCaching: true));

    private static (ISequenceCache Cache, int[] Tokens) Fill(PartialReadFixture fixture, int seed, int length)
    {
        var tokens = Tokens(seed, length + 20);
        var sequence = fixture.Layers.Cache.Open();
        Assert.True(sequence.TryAdmit(tokens.AsSpan(0, length)));
        fixture.Extend(sequence, tokens, length, 77, Layers);
        return (sequence, tokens);
    }

    private static int[] Tokens(int seed, int length)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(1000))];
    }
}
