using DeltaKV.Cache;
using DeltaKV.Compression;
using DeltaKV.Compression.Eviction;
using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Model;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>Key/value memory of a few sequences of one length, driven as the engine drives it; what is not computed is random numbers.</summary>
internal sealed class BenchCache : IDisposable
{
    private const int SequencesAtOnce = 16;

    private readonly BenchModel model;
    private readonly BenchSize size;
    private readonly int[] tokens;
    private SequenceStep[] steps = [];
    private int length;

    /// <param name="model">What runs.</param>
    /// <param name="size">Sequences and their final length.</param>
    /// <param name="stepTokens">The most new tokens of a step.</param>
    internal BenchCache(BenchModel model, BenchSize size, int stepTokens)
    {
        (this.model, this.size) = (model, size);
        tokens = new int[size.Context];
        Layers = model.Method is { } method
            ? method.Open(new KvMethodContext(
                model.Stream, model.Config, model.Weights, model.Kernels, Bytes(model.Source, size, stepTokens), Limits(model.Source, size, stepTokens), PrefixCaching: false))
            : new RawKvLayers<BFloat16>(model.Stream, model.Kernels, model.Config.LayerCount, RawBlocks(size), DecodeGraphs.Bucket(size.Batch), prefixCaching: false);
        var fill = new RandomFill(model.Stream);
        for (var layer = 0; layer < model.Config.LayerCount; layer++)
        {
            fill.Fill(Layers.Blocks(layer).Keys, 1);
            fill.Fill(Layers.Blocks(layer).Values, 1);
        }
    }

    internal IKvLayers<BFloat16> Layers { get; }

    /// <summary>Measured key/value memory of the sequences.</summary>
    internal KvUsage Usage => Layers.Cache.Usage;

    /// <summary>Bytes such a cache allocates.</summary>
    internal static long Bytes(BenchSource source, BenchSize size, int stepTokens) => source.Method is { } method
        ? method.FixedBytes(Limits(source, size, stepTokens)) + (method.BytesPerToken * size.Batch * (size.Context + KvBlockLayout.Size))
        : (long)RawBlocks(size) * KvBlockLayout.Size * source.Config.KvBytesPerToken;

    /// <summary>Starts all sequences over, empty.</summary>
    internal void Begin()
    {
        foreach (var step in steps)
            step.Cache.Release();
        steps = [.. Enumerable.Range(0, size.Batch).Select(i => new SequenceStep(Layers.Cache.Open(), i, 1))];
        length = 0;
        foreach (var step in steps)
            Require(step.Cache.TryAdmit(tokens));
    }

    /// <summary>Makes room for new tokens of every sequence and puts the tables of the step on the device.</summary>
    internal void Reserve(int count)
    {
        Reserve(steps, count);
        length += count;
    }

    /// <summary>The reserved tokens are computed: what is old enough is compressed.</summary>
    internal void Commit()
    {
        foreach (var step in steps)
            step.Cache.Commit(tokens.AsSpan(0, length));
        Layers.Cache.Flush();
    }

    /// <summary>What the method of a single sequence wants to have computed and forgotten again; empty if nothing.</summary>
    internal ReadOnlySpan<int> Probe => steps[0].Cache.Probe;

    /// <summary>Position of its first token.</summary>
    internal int ProbePosition => steps[0].Cache.Length;

    /// <summary>Makes room for so many tokens of the probe.</summary>
    internal void ReserveProbe(int count)
    {
        Require(steps[0].Cache.TryReserve(count));
        Layers.Prepare(model.Stream, [steps[0] with { FirstRow = 0, Rows = count }]);
    }

    /// <summary>They are computed.</summary>
    internal void CommitProbe(int count)
    {
        steps[0].Cache.CommitProbe(count);
        Layers.Cache.Flush();
    }

    /// <summary>Begins with that many tokens that nobody computed.</summary>
    /// <param name="target">Tokens of each sequence.</param>
    /// <param name="stepTokens">Tokens of all sequences compressed at once.</param>
    internal void Fill(int target, int stepTokens)
    {
        // A prompt that will be evicted from is whole until its end, so that there is room for one at a time. Others take turns, so that the blocks of a sequence lie apart as they do after a while in a server.
        var together = model.Method is EvictionMethod ? 1 : SequencesAtOnce;
        steps = new SequenceStep[size.Batch];
        for (var first = 0; first < steps.Length; first += together)
            Fill(steps.AsSpan(first, Math.Min(together, steps.Length - first)), target, stepTokens);
        length = target;
    }

    public void Dispose() => Layers.Dispose();

    private void Fill(Span<SequenceStep> some, int target, int stepTokens)
    {
        for (var i = 0; i < some.Length; i++)
        {
            some[i] = new SequenceStep(Layers.Cache.Open(), i, 1);
            Require(some[i].Cache.TryAdmit(tokens.AsSpan(0, target)));
        }

        var turn = model.Method is null ? KvBlockLayout.Size : Math.Max(1, stepTokens / some.Length);
        while (some[0].Cache.Length < target)
        {
            var count = Math.Min(Math.Min(turn, some[0].Cache.StepLimit), target - some[0].Cache.Length);
            Step(some, count, cache => cache.Commit(tokens.AsSpan(0, cache.Length + count)));
        }

        while (some[0].Cache.Probe.Length > 0)
        {
            var count = Math.Min(stepTokens, some[0].Cache.Probe.Length);
            Step(some, count, cache => cache.CommitProbe(count));
        }
    }

    private void Step(Span<SequenceStep> some, int count, Action<ISequenceCache> commit)
    {
        Reserve(some, count);
        foreach (var one in some)
            commit(one.Cache);
        Layers.Cache.Flush();
        model.Stream.Synchronize();
    }

    private void Reserve(Span<SequenceStep> some, int count)
    {
        for (var i = 0; i < some.Length; i++)
        {
            Require(some[i].Cache.TryReserve(count));
            some[i] = some[i] with { FirstRow = i * count, Rows = count };
        }

        Layers.Prepare(model.Stream, some);
    }

    private static KvLimits Limits(BenchSource source, BenchSize size, int stepTokens) => DeviceRunnerFactory.Limits(
        source.Config, new EngineOptions { MaxSequences = size.Batch, MaxBatchTokens = stepTokens }, size.Context + KvBlockLayout.Size);

    /// <summary>Every admitted sequence keeps a block of headroom for the others.</summary>
    private static int RawBlocks(BenchSize size) => size.Batch * (((size.Context + KvBlockLayout.Size - 1) / KvBlockLayout.Size) + 1);

    private static void Require(bool success)
    {
        if (!success)
            throw new InvalidOperationException("The cache of a benchmark is too small for its own sequences.");
    }
}
