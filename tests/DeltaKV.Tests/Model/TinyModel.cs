using System.Runtime.InteropServices;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Model;

/// <summary>A Llama of two layers and 32 features with random weights, large enough for its answers to depend on everything before.</summary>
internal sealed class TinyModel : IDisposable
{
    /// <summary>The first tokens of needle-16m's tokenizer: its special ones and printable ASCII.</summary>
    internal const int Vocabulary = 100;

    private const int Hidden = 32;
    private const int Intermediate = 32;
    private const int Layers = 2;
    private const int QueryWidth = 2 * HeadDim;
    private const int KeyWidth = HeadDim;
    private const int HeadDim = 64;

    private readonly TemporaryDirectory directory = new();
    private readonly SafetensorsWriter writer = new();
    private readonly Random random;

    internal TinyModel(int seed, int vocabulary = Vocabulary, int positions = 512)
    {
        random = new Random(seed);
        directory.Write("config.json", $$"""
            {
              "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": {{Hidden}}, "intermediate_size": {{Intermediate}},
              "num_hidden_layers": {{Layers}}, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": {{HeadDim}}, "vocab_size": {{vocabulary}},
              "max_position_embeddings": {{positions}}, "rope_theta": 10000.0, "rms_norm_eps": 1e-05, "tie_word_embeddings": false, "torch_dtype": "float32",
              "bos_token_id": 1, "eos_token_id": 5
            }
            """);
        Add("model.embed_tokens.weight", vocabulary, Hidden, 1);
        Add("lm_head.weight", vocabulary, Hidden, 0.5 / Math.Sqrt(Hidden));
        AddNorm("model.norm.weight");
        for (var layer = 0; layer < Layers; layer++)
        {
            var name = $"model.layers.{layer}.";
            AddNorm(name + "input_layernorm.weight");
            AddNorm(name + "post_attention_layernorm.weight");
            AddLinear(name + "self_attn.q_proj.weight", QueryWidth, Hidden);
            AddLinear(name + "self_attn.k_proj.weight", KeyWidth, Hidden);
            AddLinear(name + "self_attn.v_proj.weight", KeyWidth, Hidden);
            AddLinear(name + "self_attn.o_proj.weight", Hidden, QueryWidth);
            AddLinear(name + "mlp.gate_proj.weight", Intermediate, Hidden);
            AddLinear(name + "mlp.up_proj.weight", Intermediate, Hidden);
            AddLinear(name + "mlp.down_proj.weight", Hidden, Intermediate);
        }

        writer.Save(directory.File("model.safetensors"));
    }

    internal string Path => directory.Path;

    public void Dispose() => directory.Dispose();

    private void AddLinear(string name, int outputs, int inputs) => Add(name, outputs, inputs, 1.5 / Math.Sqrt(inputs));

    private void AddNorm(string name) => Save(name, [Hidden], Enumerable.Repeat(1f, Hidden));

    private void Add(string name, int rows, int columns, double deviation) =>
        Save(name, [rows, columns], Enumerable.Range(0, rows * columns).Select(_ => (float)(deviation * Normal())));

    private void Save(string name, long[] shape, IEnumerable<float> values) =>
        writer.Add(name, TensorDataType.F32, shape, MemoryMarshal.AsBytes(values.ToArray().AsSpan()).ToArray());

    private double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
