using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Weights;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>What is measured: a model directory, or a shape.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Config">Its architecture.</param>
/// <param name="Path">The directory; null for a shape.</param>
internal sealed record BenchSource(string Name, ModelConfig Config, string? Path)
{
    internal static BenchSource Shape(string name) => new(name, BenchShapes.Get(name), null);

    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    /// <exception cref="ModelFormatException">It holds no model that runs here.</exception>
    internal static BenchSource Directory(string path)
    {
        if (!System.IO.Directory.Exists(path))
            throw new DirectoryNotFoundException($"There is no model directory '{path}'.");
        return new(System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path))), ModelConfig.Load(path), path);
    }

    /// <summary>Puts it on the device.</summary>
    internal BenchModel Open(AcceleratorStream stream, int maxBatch, IProgress<LoadProgress> progress, CancellationToken cancellation) =>
        Path is null ? BenchModel.Random(stream, Config, maxBatch) : BenchModel.Load(stream, Config, Path, maxBatch, progress, cancellation);
}
