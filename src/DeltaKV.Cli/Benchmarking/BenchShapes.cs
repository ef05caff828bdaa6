using DeltaKV.Weights;

namespace DeltaKV.Cli.Benchmarking;

/// <summary>Shapes of well-known models, whose speed can be measured without their weights.</summary>
internal static class BenchShapes
{
    private static readonly RopeParameters Llama31Rope = new()
    {
        Type = RopeType.Llama3,
        Theta = 500_000,
        Factor = 8,
        OriginalMaxPositions = 8192,
        LowFrequencyFactor = 1,
        HighFrequencyFactor = 4,
    };

    private static readonly SortedDictionary<string, ModelConfig> Known = new(StringComparer.Ordinal)
    {
        ["llama-3.1-8b"] = Create(ModelFamily.Llama, layers: 32, hidden: 4096, intermediate: 14336, heads: 32, keyHeads: 8, vocabulary: 128256, Llama31Rope),
        ["llama-3.2-1b"] = Create(ModelFamily.Llama, layers: 16, hidden: 2048, intermediate: 8192, heads: 32, keyHeads: 8, vocabulary: 128256, Llama31Rope with { Factor = 32 })
            with { HeadDim = 64, TieWordEmbeddings = true },
        ["llama-3.2-3b"] = Create(ModelFamily.Llama, layers: 28, hidden: 3072, intermediate: 8192, heads: 24, keyHeads: 8, vocabulary: 128256, Llama31Rope with { Factor = 32 })
            with { TieWordEmbeddings = true },
        ["mistral-7b"] = Create(ModelFamily.Mistral, layers: 32, hidden: 4096, intermediate: 14336, heads: 32, keyHeads: 8, vocabulary: 32768, new() { Theta = 1_000_000 }),
        ["qwen2.5-7b"] = Create(ModelFamily.Qwen2, layers: 28, hidden: 3584, intermediate: 18944, heads: 28, keyHeads: 4, vocabulary: 152064, new() { Theta = 1_000_000 })
            with { HasQkvBias = true },
        ["qwen3-8b"] = Create(ModelFamily.Qwen3, layers: 36, hidden: 4096, intermediate: 12288, heads: 32, keyHeads: 8, vocabulary: 151936, new() { Theta = 1_000_000 })
            with { HasQkNorm = true },
        ["tiny"] = Create(ModelFamily.Llama, layers: 2, hidden: 128, intermediate: 256, heads: 2, keyHeads: 1, vocabulary: 512, new()) with { HeadDim = 64 },
    };

    internal static IEnumerable<string> Names => Known.Keys;

    /// <exception cref="UsageException">The name is unknown.</exception>
    internal static ModelConfig Get(string name) =>
        Known.TryGetValue(name, out var config) ? config : throw new UsageException($"'{name}' is no known shape; known are {string.Join(", ", Known.Keys)}.");

    private static ModelConfig Create(
        ModelFamily family, int layers, int hidden, int intermediate, int heads, int keyHeads, int vocabulary, RopeParameters rope) => new()
        {
            Family = family,
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            IntermediateSize = intermediate,
            LayerCount = layers,
            HeadCount = heads,
            KeyValueHeadCount = keyHeads,
            HeadDim = 128,
            MaxPositions = 131_072,
            RmsNormEpsilon = 1e-5f,
            Rope = rope,
        };
}
