using DeltaKV.Compression.CompressKv;
using DeltaKV.Compression.H2o;
using DeltaKV.Compression.PyramidKv;
using DeltaKV.Compression.SnapKv;
using DeltaKV.Compression.StreamingLlm;
using DeltaKV.Weights;

namespace DeltaKV.Compression.Eviction;

/// <summary>The methods that delete tokens, by name.</summary>
internal static class EvictionPolicies
{
    private static readonly Dictionary<string, Func<KvMethodSpec, ModelConfig, ModelWeights?, IEvictionPolicy>> Factories = new(StringComparer.OrdinalIgnoreCase)
    {
        ["streaming-llm"] = (spec, _, _) => StreamingLlmPolicy.Create(spec),
        ["compresskv"] = CompressKvPolicy.Create,
        ["h2o"] = (spec, _, _) => H2oPolicy.Create(spec),
        ["pyramidkv"] = (spec, config, _) => PyramidKvPolicy.Create(spec, config.LayerCount),
        ["snapkv"] = (spec, _, _) => SnapKvPolicy.Create(spec),
    };

    /// <summary>Their names.</summary>
    internal static IReadOnlyCollection<string> Names => Factories.Keys;

    /// <summary>The policy of a method with its settings.</summary>
    internal static IEvictionPolicy Create(KvMethodSpec spec, ModelConfig config, ModelWeights? weights) => Factories[spec.Name](spec, config, weights);
}
