using DeltaKV.Compression;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Eviction;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>What the attention of each layer is, for a profile.</summary>
internal static class LayerKinds
{
    /// <summary>One name per layer.</summary>
    internal static string[] Of(IKvMethod? method, int layers) => [.. Enumerable.Range(0, layers).Select(layer =>
        method switch
        {
            CodedKvMethod { Format: var format } => Kind(format, layer),
            EvictionMethod { Format.Kept: { } kept } when kept.Kinds[layer] >= 0 => "kept tokens, coded (attention)",
            _ => "attention",
        })];

    private static string Kind(Compression.Codes.Storage.CodedKvFormat format, int layer)
    {
        if (format.Observers.Contains(layer))
            return "observers (attention, scores, selection)";
        if (format.RawLayer[layer] >= 0)
            return "full layers (attention)";
        if (format.KiviLayer[layer] >= 0)
            return "quantised layers (attention)";
        if (layer == 0 && format.RecomputesFirstLayer)
            return "first layer, recomputed (reconstruction, attention)";
        return format.Observers.Any(observer => observer < layer)
            ? "coded layers, selected tokens (reconstruction, attention)"
            : "coded layers, all tokens (reconstruction, attention)";
    }
}
