using DeltaKV.Compression;
using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>Weights on a device, from a directory or random, and the kernels that run them.</summary>
internal sealed class BenchModel : IDisposable
{
    /// <summary>A standard deviation of 0.02, as models are initialised with.</summary>
    private const float WeightScale = 0.035f;

    private BenchModel(AcceleratorStream stream, BenchSource source, DeviceWeights<BFloat16> weights, int maxBatch)
    {
        Stream = stream;
        Source = source;
        Weights = weights;
        var config = source.Config;
        Kernels = new BFloat16Kernels(stream.Accelerator, new AttentionShape(config.HeadCount, config.KeyValueHeadCount, config.HeadDim), DecodeGraphs.Bucket(maxBatch));
    }

    internal AcceleratorStream Stream { get; }

    internal Accelerator Accelerator => Stream.Accelerator;

    /// <summary>What it is.</summary>
    internal BenchSource Source { get; }

    internal ModelConfig Config => Source.Config;

    /// <summary>How keys and values are kept; null for uncompressed.</summary>
    internal IKvMethod? Method => Source.Method;

    internal DeviceWeights<BFloat16> Weights { get; }

    internal ITransformerKernels<BFloat16> Kernels { get; }

    /// <summary>Bytes of weights that a step reads: all but the embedding, of which it looks up a few rows, unless that is the head too.</summary>
    internal long BytesReadPerStep => Weights.ByteLength - (Config.TieWordEmbeddings ? 0 : Weights.Embedding.LengthInBytes);

    /// <summary>A shape with weights made on the device.</summary>
    internal static BenchModel Random(AcceleratorStream stream, BenchSource source, int maxBatch)
    {
        var config = source.Config;
        var fill = new RandomFill(stream);
        var weights = DeviceWeights<BFloat16>.Create(stream.Accelerator, config, arena => fill.Fill(arena, WeightScale));
        // Norms of one keep activations in the range of a trained model.
        foreach (var layer in weights.Layers)
        {
            fill.Fill(layer.AttentionNorm, WeightScale, 1);
            fill.Fill(layer.FeedForwardNorm, WeightScale, 1);
            fill.Fill(layer.QueryNorm, WeightScale, 1);
            fill.Fill(layer.KeyNorm, WeightScale, 1);
        }

        fill.Fill(weights.FinalNorm, WeightScale, 1);
        stream.Synchronize();
        return new BenchModel(stream, source, weights, maxBatch);
    }

    /// <summary>The model of a directory.</summary>
    internal static BenchModel Load(AcceleratorStream stream, BenchSource source, int maxBatch, IProgress<LoadProgress> progress, CancellationToken cancellation)
    {
        var config = source.Config;
        using var files = ModelWeights.Open(source.Path!);
        var accelerator = stream.Accelerator;
        var bytes = DeviceWeights<BFloat16>.Elements(config) * sizeof(ushort);
        var plan = MemoryPlan.Create(
            config, new EngineOptions { MaxSequences = maxBatch }, accelerator.Name, accelerator.MemorySize - accelerator.AllocatedBytes, bytes, 0, config.KvBytesPerToken);
        var weights = DeviceWeights<BFloat16>.Load(stream, config, files, plan, progress, cancellation);
        return new BenchModel(stream, source, weights, maxBatch);
    }

    public void Dispose()
    {
        Kernels.Dispose();
        Weights.Dispose();
    }
}
