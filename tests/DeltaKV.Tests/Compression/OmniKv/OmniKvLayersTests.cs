using DeltaKV.Cache;
using DeltaKV.Cache.Selection;
using DeltaKV.Compression;
using DeltaKV.Compression.OmniKv;
using DeltaKV.Gpu;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.OmniKv;

[Collection(KernelCollection.Name)]
public sealed class OmniKvLayersTests(KernelFixture device)
{
    private const int Layers = 4;

    /// <summary>Weights pass through bf16 once, outputs too, relative to values of a few units.</summary>
    private const double Tolerance = 3e-2;

    private static readonly KvLimits Limits = new(4, 128, 1024, 0);

    [Theory]
    [InlineData(50, 0, false)]
    [InlineData(50, 0, true)]
    [InlineData(0, 30, true)]
    public void Layers_read_what_the_last_observation_layer_chose(int tokens, int share, bool perHead)
    {
        // Layer 0 is before the first observation layer, layer 3 is full: both read everything.
        var options = new OmniKvOptions
        {
            Observers = [1], FullLayers = [3], Budget = new SelectionBudget(tokens, share / 100f), PerHead = perHead, Sinks = 16, Recent = 32,
        };
        using var fixture = Open(options);
        var steps = new (ISequenceCache Cache, int[] Tokens)[] { Fill(fixture, 1, 300), Fill(fixture, 2, 90), Fill(fixture, 3, 10) };
        var qkv = Enumerable.Range(0, Layers).Select(layer => PartialReadFixture.Queries(layer, steps.Length)).ToArray();
        var lengths = steps.Select(step => step.Cache.Length).ToArray();
        var outputs = fixture.Decode(steps, qkv);
        var shape = PartialReadFixture.Shape;
        for (var s = 0; s < steps.Length; s++)
        {
            int[] all = [.. Enumerable.Range(0, lengths[s] + 1)];
            var scores = Enumerable.Range(0, shape.QueryHeads)
                .Select(h => PartialReadFixture.Attend(Query(1, s, h), steps[s].Tokens, 1, h / shape.GroupSize, all).Weights).ToArray();
            for (var layer = 0; layer < Layers; layer++)
            {
                for (var h = 0; h < shape.QueryHeads; h++)
                {
                    var head = h / shape.GroupSize;
                    var heads = Enumerable.Range(perHead ? head * shape.GroupSize : 0, perHead ? shape.GroupSize : shape.QueryHeads);
                    var read = layer == 2 ? Read(lengths[s], p => heads.Max(of => scores[of][p]), tokens, share / 100f) : all;
                    var (_, expected) = PartialReadFixture.Attend(Query(layer, s, h), steps[s].Tokens, layer, head, read);
                    var actual = outputs[layer][s].AsSpan(h * shape.HeadDim, shape.HeadDim).ToArray();
                    Numbers.AssertClose(expected, actual, Tolerance, 1e-2, $"layer {layer} sequence {s} head {h}");
                }
            }
        }

        float[] Query(int layer, int s, int h) => qkv[layer].AsSpan((s * shape.QkvWidth) + (h * shape.HeadDim), shape.HeadDim).ToArray();
    }

    [Theory]
    [InlineData(false, 70)]
    [InlineData(true, 9)]
    public void Prompt_chunks_read_what_sixteen_of_their_queries_chose(bool perHead, int count)
    {
        const int Length = 300;
        var options = new OmniKvOptions { Observers = [1], FullLayers = [3], Budget = SelectionBudget.All, PerHead = perHead, PrefillTokens = 64, Recent = 32 };
        using var fixture = Open(options);
        var (cache, tokens) = Fill(fixture, 1, Length);
        tokens = [.. tokens, .. Enumerable.Range(0, count)];
        var shape = PartialReadFixture.Shape;
        var qkv = Enumerable.Range(0, Layers).Select(layer => PartialReadFixture.Queries(layer, count)).ToArray();
        var outputs = fixture.Prefill(cache, tokens, count, qkv);
        var rows = Math.Min(16, count);
        int[] chosen = [.. Enumerable.Range(1, rows).Select(i => (i * count / rows) - 1)];
        var scores = Enumerable.Range(0, shape.QueryHeads).Select(h => chosen.Select(row => PartialReadFixture.Attend(
            Query(1, row, h), tokens, 1, h / shape.GroupSize, [.. Enumerable.Range(0, Length + row + 1)]).Weights).ToArray()).ToArray();
        foreach (var layer in (int[])[1, 2, 3])
        {
            for (var row = 0; row < count; row += 4)
            {
                for (var h = 0; h < shape.QueryHeads; h++)
                {
                    var head = h / shape.GroupSize;
                    var heads = Enumerable.Range(perHead ? head * shape.GroupSize : 0, perHead ? shape.GroupSize : shape.QueryHeads);
                    int[] read = [.. Enumerable.Range(0, Length + row + 1)];
                    if (layer == 2)
                        read = [.. Read(Length, p => heads.Max(of => scores[of].Max(weights => weights[p])), 64, 0).Where(p => p < Length), .. Enumerable.Range(Length, row + 1)];
                    var (_, expected) = PartialReadFixture.Attend(Query(layer, row, h), tokens, layer, head, read);
                    var actual = outputs[layer][row].AsSpan(h * shape.HeadDim, shape.HeadDim).ToArray();
                    Numbers.AssertClose(expected, actual, Tolerance, 1e-2, $"layer {layer} row {row} head {h}");
                }
            }
        }

        float[] Query(int layer, int row, int h) => qkv[layer].AsSpan((row * shape.QkvWidth) + (h * shape.HeadDim), shape.HeadDim).ToArray();
    }

    [Fact]
    public void Stores_what_the_uncompressed_cache_stores()
    {
        using var fixture = Open(new OmniKvOptions { Observers = [1] });
        using var full = new PartialReadFixture(device, (stream, kernels) => new RawKvLayers<BFloat16>(stream, kernels, Layers, 40, 4, true));
        Assert.Equal(Fill(full, 1, 100).Cache.Usage, Fill(fixture, 1, 100).Cache.Usage);
    }

    [Fact]
    public void A_budget_that_covers_everything_reads_as_the_uncompressed_cache_does()
    {
        using var fixture = Open(new OmniKvOptions { Observers = [0], Budget = new SelectionBudget(0, 1) });
        using var full = new PartialReadFixture(device, (stream, kernels) => new RawKvLayers<BFloat16>(stream, kernels, Layers, 40, 4, true));
        var qkv = Enumerable.Range(0, Layers).Select(layer => PartialReadFixture.Queries(layer, 1)).ToArray();
        Assert.Equal(full.Decode([Fill(full, 4, 150)], qkv), fixture.Decode([Fill(fixture, 4, 150)], qkv));
    }

    /// <summary>Sinks, the best of what lies between, and the newest.</summary>
    private static int[] Read(int length, Func<int, double> score, int tokens, float share)
    {
        var (start, end) = (16, Math.Max(16, (length - 32) / 16 * 16));
        var wanted = Math.Max(tokens, (int)(share * (end - start)));
        return [.. Enumerable.Range(0, length + 1).Where(p => p < start || p >= end), .. Enumerable.Range(start, end - start).OrderByDescending(score).Take(wanted)];
    }

    private PartialReadFixture Open(OmniKvOptions options) =>
        new(device, (stream, kernels) => new OmniKvLayers(stream, kernels, options, Layers, 40, Limits, prefixCaching: true));

    private static (ISequenceCache Cache, int[] Tokens) Fill(PartialReadFixture fixture, int seed, int length)
    {
        var random = new Random(seed);
        int[] tokens = [.. Enumerable.Range(0, length + 1).Select(_ => random.Next(1000))];
        var sequence = fixture.Layers.Cache.Open();
        Assert.True(sequence.TryAdmit(tokens.AsSpan(0, length)));
        fixture.Extend(sequence, tokens, length, 77, Layers);
        return (sequence, tokens);
    }
}
