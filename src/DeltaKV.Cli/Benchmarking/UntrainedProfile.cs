using DeltaKV.Compression;
using DeltaKV.Compression.CompressKv;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.Eviction;
using DeltaKV.Weights;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>CompressKV for a shape without weights: the first heads of every layer choose, and all layers suffer alike. It costs what a calibrated one costs.</summary>
internal static class UntrainedProfile
{
    /// <summary>The method, if it is this one.</summary>
    internal static IKvMethod? Resolve(string text, ModelConfig config)
    {
        var spec = KvMethodSpec.Parse(text);
        if (spec.Name != "compresskv")
            return null;
        spec.Allow(TokenBudget.Settings);
        int[] heads = [.. Enumerable.Range(0, CompressKvProfile.HeadsOf(config.HeadCount))];
        return new EvictionMethod(config, new CompressKvPolicy(TokenBudget.Of(spec), new CompressKvProfile
        {
            Model = new ModelFingerprint(config.Family.ToString(), config.LayerCount, config.KeyValueHeadCount, config.HeadDim, "none"),
            Layers = [.. Enumerable.Range(0, config.LayerCount).Select(_ => new CompressKvLayer(heads, new double[config.HeadCount], 1))],
        }));
    }
}
