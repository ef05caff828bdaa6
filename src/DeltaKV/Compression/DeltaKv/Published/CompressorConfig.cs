using System.Globalization;
using System.Text.Json;
using DeltaKV.Weights;

namespace DeltaKV.Compression.DeltaKv.Published;

/// <summary>What a published compressor's <c>config.json</c> says; null where it is silent.</summary>
internal sealed record CompressorConfig
{
    internal const string FileName = "config.json";

    /// <summary>Latent dimensions of a compressor.</summary>
    public int? Latents { get; private init; }

    /// <summary>Kind of the encoder.</summary>
    public CompressorKind? Down { get; private init; }

    /// <summary>Kind of the decoder.</summary>
    public CompressorKind? Up { get; private init; }

    /// <summary>Hidden features of the encoder.</summary>
    public int? DownIntermediate { get; private init; }

    /// <summary>Hidden features of the decoder.</summary>
    public int? UpIntermediate { get; private init; }

    /// <summary>References per token.</summary>
    public int? Neighbours { get; private init; }

    /// <summary>Tokens from one reference to the next.</summary>
    public int? Stride { get; private init; }

    /// <summary>Layers that stay raw.</summary>
    public IReadOnlyList<int>? FullLayers { get; private init; }

    /// <summary>Reads the file; refuses settings that mean another method than the one that is implemented.</summary>
    /// <exception cref="ModelFormatException">It is missing or a field has the wrong type.</exception>
    /// <exception cref="NotSupportedException">It describes another method.</exception>
    internal static CompressorConfig Load(string directory)
    {
        var path = Path.Combine(directory, FileName);
        using var document = JsonFields.Load(path);
        var fields = new JsonFields(document.RootElement, path);
        if (fields.OptionalBool("collect_kv_before_rope") == false)
            throw new NotSupportedException($"{path}: 'collect_kv_before_rope' is false; compressors of keys before RoPE are supported.");
        Only(fields, "recon_mode", "delta_in_latent");
        Only(fields, "ref_mode", "avg");
        var linear = fields.OptionalBool("use_nonlinear_compressor") == false;
        return new CompressorConfig
        {
            Latents = fields.OptionalInt("kv_compressed_size") ?? fields.OptionalInt("deltakv_latent_dim"),
            Down = Kind(fields, "compressor_down_type", linear),
            Up = Kind(fields, "compressor_up_type", linear),
            DownIntermediate = Positive(fields.OptionalInt("compressor_down_intermediate_size")),
            UpIntermediate = Positive(fields.OptionalInt("compressor_up_intermediate_size")),
            Neighbours = fields.OptionalInt("deltakv_neighbor_count") ?? fields.OptionalInt("k_neighbors"),
            Stride = fields.OptionalDouble("cluster_ratio") is { } ratio and > 0 ? (int)Math.Round(1 / ratio) : null,
            FullLayers = Layers(fields, "full_attn_layers"),
        };
    }

    private static void Only(JsonFields fields, string name, string supported)
    {
        if (fields.OptionalString(name) is { } value && value != supported)
            throw new NotSupportedException($"{fields.File}: '{name}' is '{value}'; '{supported}' is supported.");
    }

    private static CompressorKind? Kind(JsonFields fields, string name, bool linear) => fields.OptionalString(name)?.Trim().ToLowerInvariant() switch
    {
        null or "" or "auto" => linear ? CompressorKind.Linear : null,
        "linear" => CompressorKind.Linear,
        "mlp_gelu" => CompressorKind.Gelu,
        "mlp_swiglu" => CompressorKind.SwiGlu,
        var other => throw new NotSupportedException($"{fields.File}: '{name}' is '{other}'; linear, mlp_gelu and mlp_swiglu are known."),
    };

    private static int? Positive(int? value) => value > 0 ? value : null;

    /// <summary>Numbers in a list, or in text separated by commas.</summary>
    private static IReadOnlyList<int>? Layers(JsonFields fields, string name)
    {
        if (!fields.Has(name))
            return null;
        if (fields.Element.GetProperty(name).ValueKind != JsonValueKind.String)
            return fields.IntegerOrList(name);
        return [.. fields.OptionalString(name)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(part =>
            int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var layer)
                ? layer
                : throw fields.Fault(name, $"has '{part}' in place of a layer's number"))];
    }
}
