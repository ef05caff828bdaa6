using System.Runtime.InteropServices;
using System.Text.Json;
using DeltaKV.Tests.Compression.Codes;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Compression.DeltaKv.Published;

/// <summary>A small compressor with random weights as the authors' training writes it, and what it computes, in double, from the very tensors that were written.</summary>
internal sealed class SyntheticCompressor
{
    private readonly Dictionary<string, (int Rows, int Columns, float[] Values)> tensors = [];
    private readonly Random random;
    private readonly string kind;
    private readonly string upKind;
    private readonly bool bias;

    internal SyntheticCompressor(string kind, int layers, int width, int latents, int intermediate, bool bias, bool split, int seed, string upKind = "linear", int upIntermediate = 0)
    {
        (this.kind, this.upKind, this.bias, random) = (kind, upKind, bias, new Random(seed));
        Prefixes = split ? ["k_", "v_"] : [""];
        Width = width;
        Config = new Dictionary<string, object>
        {
            ["kv_compressed_size"] = latents, ["compressor_down_type"] = kind, ["compressor_up_type"] = upKind, ["compressor_linear_bias"] = bias,
            ["use_nonlinear_compressor"] = kind != "linear", ["compressor_down_intermediate_size"] = kind == "linear" ? -1 : intermediate,
            ["compressor_up_intermediate_size"] = upKind == "linear" ? -1 : upIntermediate,
        };
        var length = width / Prefixes.Length;
        for (var layer = 0; layer < layers; layer++)
        {
            foreach (var prefix in Prefixes)
            {
                AddNetwork($"model.layers.{layer}.self_attn.{prefix}compress_down", kind, length, intermediate, latents);
                AddNetwork($"model.layers.{layer}.self_attn.{prefix}compress_up", upKind, latents, upIntermediate, length);
            }
        }
    }

    internal string[] Prefixes { get; }

    internal int Width { get; }

    internal Dictionary<string, object> Config { get; }

    internal void Save(TemporaryDirectory directory)
    {
        directory.Write("config.json", JsonSerializer.Serialize(Config));
        var writer = new SafetensorsWriter();
        foreach (var (name, (rows, columns, values)) in tensors)
            writer.Add(name, TensorDataType.F32, columns == 0 ? [rows] : [rows, columns], MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
        writer.Save(directory.File("model.safetensors"));
    }

    /// <summary>Replaces a tensor's shape; for refusals.</summary>
    internal void Reshape(string name, int rows, int columns) => tensors[name] = (rows, columns, new float[rows * columns]);

    internal void Remove(string name) => tensors.Remove(name);

    /// <summary>Latents <c>f_c(kv) - f_c(r)</c> of a layer, network after network.</summary>
    internal double[] Encode(int layer, double[] kv, double[] reference) => [.. Prefixes.SelectMany((prefix, i) =>
    {
        var (own, other) = (Down(layer, prefix, Part(kv, i)), Down(layer, prefix, Part(reference, i)));
        return own.Zip(other, (a, b) => a - b);
    })];

    /// <summary><c>f_d(z)</c> of one network.</summary>
    internal double[] Decode(int layer, int network, double[] latents) => Network($"model.layers.{layer}.self_attn.{Prefixes[network]}compress_up", upKind, latents);

    private double[] Down(int layer, string prefix, double[] x) => Network($"model.layers.{layer}.self_attn.{prefix}compress_down", kind, x);

    private double[] Network(string name, string kind, double[] x)
    {
        if (kind == "linear")
            return Linear(name, x);
        if (kind == "mlp_gelu")
            return Linear(name + ".2", [.. Linear(name + ".0", x).Select(ScalarNetwork.Gelu)]);
        var hidden = Linear(name + ".w12", x);
        var half = hidden.Length / 2;
        return Linear(name + ".w3", [.. Enumerable.Range(0, half).Select(i => ScalarNetwork.Silu(hidden[i]) * hidden[half + i])]);
    }

    private void AddNetwork(string name, string kind, int inputs, int features, int outputs)
    {
        switch (kind)
        {
            case "mlp_swiglu":
                Add(name + ".w12", 2 * features, inputs);
                Add(name + ".w3", outputs, features);
                break;
            case "mlp_gelu":
                Add(name + ".0", features, inputs);
                Add(name + ".2", outputs, features);
                break;
            default:
                Add(name, outputs, inputs);
                break;
        }
    }

    private double[] Part(double[] row, int index) => row[(index * Width / Prefixes.Length)..((index + 1) * Width / Prefixes.Length)];

    private double[] Linear(string name, double[] x)
    {
        var (rows, columns, values) = tensors[name + ".weight"];
        var result = new double[rows];
        for (var row = 0; row < rows; row++)
        {
            result[row] = bias ? tensors[name + ".bias"].Values[row] : 0;
            for (var column = 0; column < columns; column++)
                result[row] += (double)values[(row * columns) + column] * x[column];
        }

        return result;
    }

    private void Add(string name, int rows, int columns)
    {
        tensors[name + ".weight"] = (rows, columns, Values(rows * columns, 2f / MathF.Sqrt(columns)));
        if (bias)
            tensors[name + ".bias"] = (rows, 0, Values(rows, 0.3f));
    }

    /// <summary>Numbers that a half holds exactly, so that storing them loses nothing.</summary>
    private float[] Values(int count, float scale) => [.. Enumerable.Range(0, count).Select(_ => (float)(Half)(scale * ((2 * random.NextSingle()) - 1)))];
}
