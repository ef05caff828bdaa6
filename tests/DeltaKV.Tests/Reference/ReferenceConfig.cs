using System.Text.Json;

namespace DeltaKV.Tests.Reference;

/// <summary>The shape of a Llama-architecture model, as its config.json states it.</summary>
internal sealed record ReferenceConfig(
    int Hidden, int Intermediate, int Layers, int Heads, int KvHeads, int HeadDim, int Vocabulary, double RopeTheta, float Epsilon)
{
    /// <summary>Numbers per layer and token: K of all KV heads, then V of all KV heads.</summary>
    public int KvWidth => 2 * KvHeads * HeadDim;

    /// <summary>Query heads that share one KV head.</summary>
    public int GroupSize => Heads / KvHeads;

    public static ReferenceConfig Load(string directory)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, "config.json")));
        var root = document.RootElement;
        int Int(string name) => root.GetProperty(name).GetInt32();
        return new ReferenceConfig(
            Int("hidden_size"), Int("intermediate_size"), Int("num_hidden_layers"), Int("num_attention_heads"),
            Int("num_key_value_heads"), Int("head_dim"), Int("vocab_size"),
            root.GetProperty("rope_theta").GetDouble(), root.GetProperty("rms_norm_eps").GetSingle());
    }
}
