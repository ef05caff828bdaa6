using DeltaKV.Compression;
using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Weights;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>What is measured: a model directory or a shape, and how its keys and values are kept.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Config">Its architecture.</param>
/// <param name="Path">The directory; null for a shape.</param>
/// <param name="MethodName">How keys and values are kept.</param>
/// <param name="Method">The same; null for uncompressed.</param>
internal sealed record BenchSource(string Name, ModelConfig Config, string? Path, string MethodName, IKvMethod? Method)
{
    /// <exception cref="UsageException">There is no such shape.</exception>
    internal static BenchSource Shape(string name, string method)
    {
        var config = BenchShapes.Get(name);
        return new(name, config, null, method, Untrained(method, config));
    }

    /// <summary>The method of a shape, or the methods that it composes.</summary>
    private static IKvMethod? Untrained(string method, ModelConfig config) => KvComposition.Split(method) is { Length: > 1 } parts
        ? KvComposition.Resolve(method, parts, config, part => Untrained(part, config))
        : UntrainedCodec.Resolve(method, config) ?? UntrainedProfile.Resolve(method, config) ?? KvMethods.Resolve(method, config, null);

    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    /// <exception cref="ModelFormatException">It holds no model that runs here.</exception>
    internal static BenchSource Directory(string path, string method)
    {
        var config = ModelConfig.Load(path);
        using var weights = ModelWeights.Open(path);
        return new(ModelDirectory.NameOf(path), config, path, method, KvMethods.Resolve(method, config, weights));
    }

    /// <summary>Puts it on the device.</summary>
    internal BenchModel Open(AcceleratorStream stream, int maxBatch, IProgress<LoadProgress> progress, CancellationToken cancellation) =>
        Path is null ? BenchModel.Random(stream, this, maxBatch) : BenchModel.Load(stream, this, maxBatch, progress, cancellation);
}
