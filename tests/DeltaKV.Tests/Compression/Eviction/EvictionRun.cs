using DeltaKV.Cache;
using DeltaKV.Compression;
using DeltaKV.Compression.Eviction;
using DeltaKV.Compression.Eviction.Kept;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>An evicting cache fed with random queries, keys and values, beside a slow scalar account of what it must keep and attend to.</summary>
internal sealed class EvictionRun : IDisposable
{
    internal const int LayerCount = 2;

    /// <summary>Rows are not rotated, but codes of keys turn them back.</summary>
    internal static readonly RopeParameters Rope = new() { Theta = 10_000 };

    // Sums of probabilities of order 1 / tokens, added in another order; values of up to 1 pass through bf16 once.
    private const double RankTolerance = 2e-5;
    private const double AttentionTolerance = 8e-3;

    private readonly KernelFixture device;
    private readonly AttentionShape shape;
    private readonly BFloat16Kernels kernels;
    private readonly EvictingKvLayers layers;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> noRotation;
    private readonly int seed;

    internal EvictionRun(
        KernelFixture device, AttentionShape shape, IEvictionPolicy policy, int maxTokens, int seed, bool prefixCaching = false, KeptFormat? kept = null, int scratchBytes = 0)
    {
        (this.device, this.shape, this.seed) = (device, shape, seed);
        kernels = new BFloat16Kernels(device.Accelerator, shape, 4);
        Format = new EvictionFormat(shape, LayerCount, policy, kept);
        var blocks = 3 * LayerCount * (EvictionFormat.Blocks(maxTokens) + 2);
        layers = new EvictingKvLayers(device.Stream, kernels, Format, blocks, [.. (kept?.KindBytes ?? []).Select(_ => blocks * 4)], new KvLimits(4, maxTokens, maxTokens, scratchBytes), prefixCaching, new KeptModel(Rope));
        noRotation = device.Upload(new float[shape.HeadDim / 2]);
    }

    internal EvictionFormat Format { get; }

    /// <summary>Called with sequence, layer, position and attention's output.</summary>
    internal Action<EvictingSequence, int, int, double[]>? Attended { get; set; }

    internal EvictingKvCache Cache => (EvictingKvCache)layers.Cache;

    /// <summary>Begins a sequence; its keys depend on its tokens' positions only.</summary>
    internal Follower Admit(int promptTokens, bool follows = true)
    {
        var sequence = (EvictingSequence)layers.Cache.Open();
        Assert.True(sequence.TryAdmit(new int[promptTokens]));
        return new Follower(sequence, follows ? new ScalarEviction(shape, Format.Policy, LayerCount) : null);
    }

    /// <summary>A sequence that begins with what another was computed from and left behind; the account goes on as if it were the same one.</summary>
    internal Follower Continue(Follower former, int promptTokens)
    {
        former.Cache.Release();
        return Admit(promptTokens, follows: false) with { Account = former.Account };
    }

    /// <summary>Computes tokens of several sequences in one step: single tokens as decode rows, others as prompts. Checks attention and what is kept.</summary>
    internal void Step(params (Follower Sequence, int Tokens)[] parts)
    {
        var ordered = parts.OrderBy(part => part.Tokens == 1 ? 0 : 1).ToArray();
        var steps = new List<SequenceStep>();
        var (rows, sequences, positions, tiles) = (new List<int>(), new List<int>(), new List<int>(), new List<PrefillTile>());
        foreach (var (follower, tokens) in ordered)
        {
            Assert.True(follower.Cache.TryReserve(tokens));
            steps.Add(new SequenceStep(follower.Cache, positions.Count, tokens));
            if (tokens > 1)
            {
                var cut = new PrefillTile[PrefillTile.CountOf(tokens)];
                PrefillTile.Cut(steps.Count - 1, positions.Count, tokens, follower.Cache.Length, cut);
                tiles.AddRange(cut);
            }

            sequences.AddRange(Enumerable.Repeat(steps.Count - 1, tokens));
            positions.AddRange(Enumerable.Range(follower.Cache.Length, tokens));
        }

        layers.Prepare(device.Stream, steps.ToArray());
        using var sequenceBuffer = device.Upload(sequences.ToArray());
        using var positionBuffer = device.Upload(positions.ToArray());
        using var tileBuffer = device.Upload(tiles.Count == 0 ? new PrefillTile[1] : tiles.ToArray());
        var tokenRows = new TokenRows(sequenceBuffer.View, positionBuffer.View);
        var decodes = ordered.Count(part => part.Tokens == 1);
        for (var layer = 0; layer < LayerCount; layer++)
        {
            using var qkv = device.Upload(positions.SelectMany(position => Row(layer, position)).ToArray());
            using var output = device.Poisoned<BFloat16>(positions.Count * shape.OutputWidth);
            kernels.RopeAppend(
                device.Stream, qkv.View, tokenRows, layers.Blocks(layer), new RopeWeights<BFloat16>(noRotation.View, 1, default, default, 0), positions.Count);
            layers.Attend(
                device.Stream, layer, qkv.View, new AttentionStep(tokenRows, tileBuffer.View, decodes, tiles.Count, positions.Count, 4096), output.View);
            var attended = Numbers.Widen(device.Download(output, positions.Count * shape.OutputWidth));
            foreach (var step in steps)
            {
                var follower = ordered.Single(part => part.Sequence.Cache == step.Cache).Sequence;
                for (var i = 0; i < step.Rows; i++)
                {
                    var position = step.Cache.Length + i;
                    Attended?.Invoke(
                        follower.Cache, layer, position, [.. attended.AsSpan((step.FirstRow + i) * shape.OutputWidth, shape.OutputWidth).ToArray().Select(value => (double)value)]);
                    if (follower.Account is null)
                        continue;
                    var row = Numbers.Widen(Row(layer, position));
                    var expected = follower.Cache.IsProbing ? follower.Account.Probe(layer, position, row) : follower.Account.Attend(layer, position, row);
                    Numbers.AssertClose(
                        expected, attended.AsSpan((step.FirstRow + i) * shape.OutputWidth, shape.OutputWidth).ToArray(), AttentionTolerance, AttentionTolerance,
                        $"layer {layer}, position {position}");
                }
            }
        }

        foreach (var (follower, tokens) in ordered)
        {
            if (follower.Cache.IsProbing)
                follower.Cache.CommitProbe(tokens);
            else
                follower.Cache.Commit(new int[follower.Cache.Length + tokens]);
        }

        layers.Cache.Flush();
        foreach (var (follower, _) in ordered)
            Check(follower);
    }

    /// <summary>Computes a prompt in chunks and then single tokens.</summary>
    internal void Feed(Follower follower, int length, int chunk)
    {
        while (follower.Cache.Length < length || follower.Cache.IsProbing)
        {
            var left = follower.Cache.IsProbing ? follower.Cache.Probe.Length : length - follower.Cache.Length;
            Step((follower, Math.Min(chunk, Math.Min(left, follower.Cache.StepLimit))));
        }
    }

    /// <summary>Positions that a head of a layer keeps, in order of their slots; found by their keys.</summary>
    internal int[] Kept(EvictingSequence sequence, int layer, int head)
    {
        var all = layers.Blocks(layer).Keys.GetAsArray(device.Stream);
        var values = layers.Blocks(layer).Values.GetAsArray(device.Stream);
        var blocks = sequence.Layers[layer];
        var truth = Enumerable.Range(0, sequence.Length).ToDictionary(position => Print(Key(layer, position, head)));
        var kept = new List<int>();
        for (var slot = blocks.Start; slot < sequence.Length; slot++)
        {
            var at = ((((blocks.Blocks[slot / 64] * shape.KeyHeads) + head) * 64) + (slot % 64)) * shape.HeadDim;
            var position = truth[Print(all.AsSpan(at, shape.HeadDim))];
            Assert.Equal(Print(Value(layer, position, head)), Print(values.AsSpan(at, shape.HeadDim)));
            kept.Add(position);
        }

        return [.. kept];
    }

    public void Dispose()
    {
        layers.Dispose();
        kernels.Dispose();
        noRotation.Dispose();
    }

    private void Check(Follower follower)
    {
        var sequence = follower.Cache;
        if (sequence.IsProbing)
            return;
        if (Format.Probing is not null && sequence.EvictedEnd > 0)
            follower.Account?.EndProbe(sequence.Length);
        for (var layer = 0; layer < LayerCount && follower.Account is not null; layer++)
        {
            var budget = Format.Probing is null ? Format.Policy.Budget(layer, sequence.PromptLength) : sequence.Length - sequence.Layers[layer].Start;
            follower.Account.Agree(
                layer, budget, [.. Enumerable.Range(0, shape.KeyHeads).Select(head => Kept(sequence, layer, head))], sequence.PromptLength, RankTolerance);
        }
    }

    /// <summary>Queries, key and value of a token.</summary>
    internal BFloat16[] Row(int layer, int position)
    {
        var row = Numbers.BFloat16s((seed * 1_000_003) + (layer * 10_007) + position, shape.QkvWidth);
        // Queries are larger, so that attention is far from even.
        for (var i = 0; i < shape.OutputWidth; i++)
            row[i] = BFloat16.FromSingle(3f * row[i]);
        return row;
    }

    private ReadOnlySpan<BFloat16> Key(int layer, int position, int head) => Row(layer, position).AsSpan((shape.QueryHeads + head) * shape.HeadDim, shape.HeadDim);

    private ReadOnlySpan<BFloat16> Value(int layer, int position, int head) =>
        Row(layer, position).AsSpan((shape.QueryHeads + shape.KeyHeads + head) * shape.HeadDim, shape.HeadDim);

    private static string Print(ReadOnlySpan<BFloat16> values) => Convert.ToHexString(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values));

    /// <summary>A sequence and the account of it; none for one that began with what another left.</summary>
    internal sealed record Follower(EvictingSequence Cache, ScalarEviction? Account);
}
