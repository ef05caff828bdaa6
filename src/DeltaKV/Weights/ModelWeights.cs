using System.Diagnostics.CodeAnalysis;

namespace DeltaKV.Weights;

/// <summary>Every tensor of a model directory, over one file or many shards.</summary>
internal sealed class ModelWeights : IDisposable
{
    private const string SingleFileName = "model.safetensors";

    private readonly List<SafetensorsFile> files = [];
    private readonly Dictionary<string, ModelTensor> tensors = new(StringComparer.Ordinal);

    private ModelWeights(string directory) => Directory = directory;

    internal string Directory { get; }

    internal IReadOnlyDictionary<string, ModelTensor> Tensors => tensors;

    /// <summary>Bytes of all tensors as stored.</summary>
    internal long ByteLength => tensors.Values.Sum(tensor => tensor.Info.ByteLength);

    /// <exception cref="ModelFormatException">No weights, or a file is not valid.</exception>
    internal static ModelWeights Open(string directory)
    {
        var weights = new ModelWeights(directory);
        try
        {
            var index = Path.Combine(directory, SafetensorsIndex.FileName);
            if (File.Exists(index))
                weights.OpenShards(index);
            else
                weights.OpenSingle(Path.Combine(directory, SingleFileName));
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    internal bool TryGet(string name, [NotNullWhen(true)] out ModelTensor? tensor) => tensors.TryGetValue(name, out tensor);

    /// <summary>The tensor of that name, which must have exactly that shape.</summary>
    internal ModelTensor Require(string name, params ReadOnlySpan<long> shape)
    {
        if (!tensors.TryGetValue(name, out var tensor))
            throw new ModelFormatException(Directory, name, $"is missing; config.json asks for one of shape [{Join(shape)}]");
        if (!tensor.Info.Shape.AsSpan().SequenceEqual(shape))
            throw tensor.Fault($"has shape [{Join(tensor.Info.Shape.AsSpan())}], config.json asks for [{Join(shape)}]");
        return tensor;
    }

    public void Dispose()
    {
        foreach (var file in files)
            file.Dispose();
        files.Clear();
        tensors.Clear();
    }

    private void OpenSingle(string path)
    {
        if (!File.Exists(path))
            throw new ModelFormatException(Directory, $"has neither {SingleFileName} nor {SafetensorsIndex.FileName}; expected weights as safetensors. Pickled ones (*.bin, *.pt) are not read: convert them");
        var file = SafetensorsFile.Open(path);
        files.Add(file);
        foreach (var (name, info) in file.Tensors)
            tensors.Add(name, new ModelTensor(file, info));
    }

    private void OpenShards(string index)
    {
        var map = SafetensorsIndex.Read(index);
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var shard in map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var file = SafetensorsFile.Open(Path.Combine(Directory, shard));
            files.Add(file);
            foreach (var (name, info) in file.Tensors)
            {
                if (!owners.TryAdd(name, shard))
                    throw new ModelFormatException(file.Path, name, $"is also in shard '{owners[name]}'");
                // Like the reference loader, a tensor that the index does not list is not part of the model.
                if (map.TryGetValue(name, out var owner) && owner == shard)
                    tensors.Add(name, new ModelTensor(file, info));
            }
        }
        foreach (var (name, shard) in map)
        {
            if (!tensors.ContainsKey(name))
                throw new ModelFormatException(Path.Combine(Directory, shard), name, "the index says it is here, but the shard does not hold it");
        }
    }

    private static string Join(ReadOnlySpan<long> shape) => string.Join(", ", shape.ToArray());
}
