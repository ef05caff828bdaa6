using System.Globalization;
using System.Text.RegularExpressions;
using DeltaKV.Weights;

namespace DeltaKV.Compression.DeltaKv.Published;

/// <summary>The tensors of a published compressor by layer, network and name within it.</summary>
internal sealed partial class CompressorTensors : IDisposable
{
    private readonly List<SafetensorsFile> files = [];
    private readonly Dictionary<(int Layer, string Network, string Name), ModelTensor> tensors = [];

    private CompressorTensors(string directory) => Directory = directory;

    internal string Directory { get; }

    /// <summary>Opens every safetensors file of a directory.</summary>
    /// <exception cref="ModelFormatException">There is none, or none holds a compressor.</exception>
    internal static CompressorTensors Open(string directory)
    {
        var result = new CompressorTensors(directory);
        try
        {
            foreach (var path in System.IO.Directory.EnumerateFiles(directory, "*.safetensors").Order(StringComparer.Ordinal))
                result.Add(SafetensorsFile.Open(path));
            if (result.files.Count == 0)
                throw new ModelFormatException(directory, "has no *.safetensors file; pickled compressors are not read, convert them");
            if (result.tensors.Count == 0)
                throw new ModelFormatException(directory, "has no tensor named 'layers.N....compress_down...'; it holds no DeltaKV compressor");
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    /// <summary>Whether a layer has a network.</summary>
    internal bool Has(int layer, string network) => KindOf(layer, network) is not null;

    /// <summary>The kind of a layer's network by the names of its tensors; null: there is none.</summary>
    internal CompressorKind? KindOf(int layer, string network) =>
        tensors.ContainsKey((layer, network, "w12.weight")) ? CompressorKind.SwiGlu
        : tensors.ContainsKey((layer, network, "0.weight")) ? CompressorKind.Gelu
        : tensors.ContainsKey((layer, network, "weight")) ? CompressorKind.Linear
        : null;

    /// <summary>A matrix that must have so many columns.</summary>
    internal PublishedMatrix Matrix(int layer, string network, string name, int columns, string columnsAre)
    {
        if (!tensors.TryGetValue((layer, network, name), out var tensor))
            throw new ModelFormatException(Directory, $"layers.{layer}...{network}.{name}", "is missing");
        var shape = tensor.Info.Shape;
        if (shape.Length != 2 || shape[1] != columns)
            throw tensor.Fault($"has shape [{string.Join(", ", shape)}], expected {columns} columns: {columnsAre}");
        return new PublishedMatrix(checked((int)shape[0]), columns, Values(tensor));
    }

    /// <summary>A bias of so many elements, zeros where there is none.</summary>
    internal float[] Bias(int layer, string network, string name, int count)
    {
        if (!tensors.TryGetValue((layer, network, name), out var tensor))
            return new float[count];
        return tensor.Info.ElementCount == count
            ? Values(tensor)
            : throw tensor.Fault($"has shape [{string.Join(", ", tensor.Info.Shape)}], expected {count} elements, one per row of its weight");
    }

    public void Dispose()
    {
        foreach (var file in files)
            file.Dispose();
    }

    private static float[] Values(ModelTensor tensor)
    {
        var values = new float[tensor.Info.ElementCount];
        tensor.ReadSingle(0, values);
        return values;
    }

    [GeneratedRegex(@"(?:^|\.)layers\.(?<layer>\d+)\.(?:.*\.)?(?<network>(?:[kv]_)?compress_(?:down|up))\.(?<name>.+)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Key();

    private void Add(SafetensorsFile file)
    {
        files.Add(file);
        foreach (var (name, info) in file.Tensors)
        {
            if (Key().Match(name) is { Success: true } match)
                tensors[(int.Parse(match.Groups["layer"].ValueSpan, CultureInfo.InvariantCulture), match.Groups["network"].Value, match.Groups["name"].Value)] = new ModelTensor(file, info);
        }
    }
}
