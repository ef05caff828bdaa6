using System.Collections.Concurrent;
using DeltaKV.Compression.CompressKv;
using DeltaKV.Compression.H2o;
using DeltaKV.Compression.KvZip;
using DeltaKV.Compression.PyramidKv;
using DeltaKV.Compression.SnapKv;
using DeltaKV.Compression.StreamingLlm;
using DeltaKV.Weights;

namespace DeltaKV.Compression.Eviction;

/// <summary>The methods that delete tokens, by name; yours too, once registered.</summary>
public static class EvictionPolicies
{
    private static readonly ConcurrentDictionary<string, Func<KvMethodSpec, ModelConfig, ModelWeights?, IEvictionPolicy>> Factories = new(StringComparer.OrdinalIgnoreCase)
    {
        ["compresskv"] = CompressKvPolicy.Create,
        ["h2o"] = (spec, _, _) => H2oPolicy.Create(spec),
        ["kvzip"] = KvZipPolicy.Create,
        ["pyramidkv"] = (spec, config, _) => PyramidKvPolicy.Create(spec, config.LayerCount),
        ["snapkv"] = (spec, _, _) => SnapKvPolicy.Create(spec),
        ["streaming-llm"] = (spec, _, _) => StreamingLlmPolicy.Create(spec),
    };

    /// <summary>Their names.</summary>
    internal static IReadOnlyCollection<string> Names => [.. Factories.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Makes a policy known, so that <c>EngineOptions.KvMethod</c> may name it, with settings as <c>NAME:key=value,key=value</c>.</summary>
    /// <param name="name">A name that no method has, in lower case.</param>
    /// <param name="factory">Makes the policy for a model, from the settings; called once per engine.</param>
    /// <exception cref="ArgumentException">Another method has that name.</exception>
    public static void Register(string name, Func<KvMethodSpec, ModelConfig, IEvictionPolicy> factory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(factory);
        if (name.Any(letter => char.IsUpper(letter) || letter is ':' or ',' or '=' or '+'))
            throw new ArgumentException($"'{name}' cannot be a method's name: it must be in lower case, without ':', ',', '=' and '+'.", nameof(name));
        if (KvMethods.Names.Contains(name) || !Factories.TryAdd(name, (spec, config, _) => factory(spec, config)))
            throw new ArgumentException($"There is a key/value method '{name}' already; choose another name.", nameof(name));
    }

    /// <summary>The policy of a method with its settings.</summary>
    internal static IEvictionPolicy Create(KvMethodSpec spec, ModelConfig config, ModelWeights? weights) => Factories[spec.Name](spec, config, weights);
}
