using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes;

/// <summary>Collects the hidden layers of all encoders for the device.</summary>
internal sealed class FeatureTables
{
    /// <summary>Groups with SwiGLU features.</summary>
    internal List<FeatureUnit> Gated { get; } = [];

    /// <summary>Groups with GELU features.</summary>
    internal List<FeatureUnit> Smooth { get; } = [];

    /// <summary>Weights, eight halves each.</summary>
    internal List<UInt4> Weights { get; } = [];

    /// <summary>Biases.</summary>
    internal List<float> Biases { get; } = [];

    /// <summary>Adds a layer's groups.</summary>
    internal void Add(int layer, LinearCodec codec)
    {
        var first = 0;
        foreach (var group in codec.Groups)
        {
            if (group.Features is not { } features)
                continue;
            (features.Activation == FeatureActivation.SwiGlu ? Gated : Smooth).Add(new FeatureUnit
            {
                Layer = layer,
                FirstChunk = group.Start / 8,
                Chunks = group.Length / 8,
                Count = features.Count,
                FirstFeature = first,
                FirstWeight = Weights.Count,
                FirstBias = Biases.Count,
            });
            Weights.AddRange(CodeFragments.Eights(features.Weight));
            Biases.AddRange(features.Bias);
            first += features.Count;
        }
    }
}
