using DeltaKV.Cache;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>Key/value memory of a few sequences of one length, filled with random numbers instead of computed.</summary>
internal sealed class BenchCache : IDisposable
{
    private readonly SequenceStep[] steps;

    internal BenchCache(BenchModel model, BenchSize size)
    {
        // Every admitted sequence keeps a block of headroom for the others.
        var blocks = size.Batch * (BlocksFor(size.Context) + 1);
        Layers = new RawKvLayers<BFloat16>(model.Stream, model.Kernels, model.Config.LayerCount, blocks, DecodeGraphs.Bucket(size.Batch), prefixCaching: false);
        var fill = new RandomFill(model.Stream);
        for (var layer = 0; layer < model.Config.LayerCount; layer++)
        {
            fill.Fill(Layers.Blocks(layer).Keys, 1);
            fill.Fill(Layers.Blocks(layer).Values, 1);
        }

        steps = [.. Enumerable.Range(0, size.Batch).Select(i => new SequenceStep(Layers.Cache.Open(), i, 1))];
        var tokens = new int[size.Context];
        foreach (var step in steps)
            Require(step.Cache.TryAdmit(tokens));
        // Block by block in turn, so that the blocks of a sequence lie apart as they do after a while in a server.
        for (var end = KvBlockLayout.Size; end < size.Context + KvBlockLayout.Size; end += KvBlockLayout.Size)
        {
            foreach (var step in steps)
                Require(step.Cache.TryReserve(Math.Min(end, size.Context)));
        }
    }

    internal RawKvLayers<BFloat16> Layers { get; }

    /// <summary>Measured bytes of the sequences.</summary>
    internal long UsedBytes => steps.Sum(step => step.Cache.Usage.TotalBytes);

    /// <summary>Bytes such a cache allocates.</summary>
    internal static long Bytes(ModelConfig config, BenchSize size) =>
        (long)size.Batch * (BlocksFor(size.Context) + 1) * KvBlockLayout.Size * config.KvBytesPerToken;

    /// <summary>Puts the tables on the device for a step in which every sequence has that many rows.</summary>
    internal void Prepare(AcceleratorStream stream, int rows)
    {
        for (var i = 0; i < steps.Length; i++)
            steps[i] = steps[i] with { FirstRow = i * rows, Rows = rows };
        Layers.Prepare(stream, steps);
    }

    public void Dispose() => Layers.Dispose();

    private static int BlocksFor(int tokens) => (tokens + KvBlockLayout.Size - 1) / KvBlockLayout.Size;

    private static void Require(bool success)
    {
        if (!success)
            throw new InvalidOperationException("The cache of a benchmark is too small for its own sequences.");
    }
}
