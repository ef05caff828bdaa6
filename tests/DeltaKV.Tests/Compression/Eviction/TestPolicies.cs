using DeltaKV.Compression;
using DeltaKV.Compression.CompressKv;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.Eviction;
using DeltaKV.Compression.H2o;
using DeltaKV.Compression.KvZip;
using DeltaKV.Compression.PyramidKv;
using DeltaKV.Compression.SnapKv;
using DeltaKV.Compression.StreamingLlm;

namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>Policies from specifications, for shapes that are no model.</summary>
internal static class TestPolicies
{
    /// <summary>CompressKV gets a profile in which the first layer suffers twice as much as the others, and its heads are the odd ones.</summary>
    internal static IEvictionPolicy Create(string method, int layers, int queryHeads)
    {
        var spec = KvMethodSpec.Parse(method);
        return spec.Name switch
        {
            "streaming-llm" => StreamingLlmPolicy.Create(spec),
            "snapkv" => SnapKvPolicy.Create(spec),
            "pyramidkv" => PyramidKvPolicy.Create(spec, layers),
            "h2o" => H2oPolicy.Create(spec),
            "kvzip" => new KvZipPolicy(TokenBudget.Of(spec), spec.Number("chunk", 2048), [1, 2, 3], layers),
            "compresskv" => new CompressKvPolicy(TokenBudget.Of(spec), Profile(layers, queryHeads)),
            _ => throw new ArgumentException($"No test knows '{method}'.", nameof(method)),
        };
    }

    private static CompressKvProfile Profile(int layers, int queryHeads)
    {
        int[] heads = [.. Enumerable.Range(0, queryHeads).Where(head => head % 2 == 1 || queryHeads == 1)];
        return new CompressKvProfile
        {
            Model = new ModelFingerprint("Llama", layers, 1, 64, "test"),
            Layers = [.. Enumerable.Range(0, layers).Select(layer => new CompressKvLayer(heads, new double[queryHeads], layer == 0 ? 2 : 1))],
        };
    }
}
