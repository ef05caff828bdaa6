using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Text.Json;

namespace DeltaKV.Tests.Reference;

/// <summary>A float32 forward pass of a Llama-architecture model on the CPU: the oracle that shares no code with the engine.</summary>
internal sealed unsafe class ReferenceTransformer
{
    private const int ChunkTokens = 240;
    private const int QueryTile = 24;
    private const int KeyBlock = 256;

    private readonly float[] _embedding;
    private readonly float[] _finalNorm;
    private readonly PackedMatrix _head;
    private readonly Layer[] _layers;

    private ReferenceTransformer(ReferenceConfig config, Func<string, float[]> read)
    {
        Config = config;
        var query = config.Heads * config.HeadDim;
        var key = config.KvHeads * config.HeadDim;
        _embedding = read("model.embed_tokens.weight");
        _finalNorm = read("model.norm.weight");
        _head = new PackedMatrix(_embedding, config.Vocabulary, config.Hidden);
        _layers = Enumerable.Range(0, config.Layers).Select(i =>
        {
            var name = $"model.layers.{i}.";
            float[] Read(string part) => read(name + part + ".weight");
            return new Layer(
                Read("input_layernorm"), Read("post_attention_layernorm"),
                new PackedMatrix(Read("self_attn.q_proj"), query, config.Hidden),
                new PackedMatrix([.. Read("self_attn.k_proj"), .. Read("self_attn.v_proj")], 2 * key, config.Hidden),
                new PackedMatrix(Read("self_attn.o_proj"), config.Hidden, query), Read("self_attn.o_proj"),
                new PackedMatrix(Read("mlp.gate_proj"), config.Intermediate, config.Hidden),
                new PackedMatrix(Read("mlp.up_proj"), config.Intermediate, config.Hidden),
                new PackedMatrix(Read("mlp.down_proj"), config.Hidden, config.Intermediate));
        }).ToArray();
    }

    public ReferenceConfig Config { get; }

    /// <summary>Loads a single-file model with tied embeddings; bf16 weights become float32 exactly.</summary>
    public static ReferenceTransformer Load(string directory)
    {
        var bytes = File.ReadAllBytes(Path.Combine(directory, "model.safetensors"));
        var headerLength = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        using var header = JsonDocument.Parse(bytes.AsMemory(8, headerLength));
        return new ReferenceTransformer(ReferenceConfig.Load(directory), name =>
        {
            var offsets = header.RootElement.GetProperty(name).GetProperty("data_offsets");
            var data = bytes.AsSpan((8 + headerLength + offsets[0].GetInt32())..(8 + headerLength + offsets[1].GetInt32()));
            var values = new float[data.Length / 2];
            for (var i = 0; i < values.Length; i++)
                values[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(data[(2 * i)..]) << 16);
            return values;
        });
    }

    /// <summary>The output projection of a layer, <c>[Hidden, Heads * HeadDim]</c>.</summary>
    public float[] OutputProjection(int layer) => _layers[layer].OutputWeight;

    /// <summary>Appends tokens to the cache and returns their last hidden states <c>[tokens, Hidden]</c>, after the final norm.</summary>
    public float[] Forward(ReadOnlySpan<int> tokens, ReferenceCache cache, ReferenceTap? tap = null)
    {
        var result = new float[tokens.Length * Config.Hidden];
        for (var start = 0; start < tokens.Length; start += ChunkTokens)
        {
            var count = Math.Min(ChunkTokens, tokens.Length - start);
            Chunk(tokens.Slice(start, count), cache, tap).CopyTo(result.AsSpan(start * Config.Hidden));
        }

        return result;
    }

    /// <summary>Logits <c>[rows, Vocabulary]</c> of hidden states that <see cref="Forward"/> returned.</summary>
    public float[] Logits(float[] hidden)
    {
        var rows = hidden.Length / Config.Hidden;
        var logits = new float[rows * Config.Vocabulary];
        _head.Multiply(hidden, logits, rows);
        return logits;
    }

    private float[] Chunk(ReadOnlySpan<int> tokens, ReferenceCache cache, ReferenceTap? tap)
    {
        var count = tokens.Length;
        var start = cache.Length;
        var stream = new float[count * Config.Hidden];
        for (var i = 0; i < count; i++)
            _embedding.AsSpan(tokens[i] * Config.Hidden, Config.Hidden).CopyTo(stream.AsSpan(i * Config.Hidden));
        var normed = new float[count * Config.Hidden];
        var queries = new float[count * Config.Heads * Config.HeadDim];
        var kv = new float[count * Config.KvWidth];
        var attended = new float[queries.Length];
        var gate = new float[count * Config.Intermediate];
        var up = new float[count * Config.Intermediate];
        cache.Length = start + count;
        for (var l = 0; l < _layers.Length; l++)
        {
            var layer = _layers[l];
            Norm(stream, layer.InputNorm, normed);
            layer.Query.Multiply(normed, queries, count);
            layer.KeyValue.Multiply(normed, kv, count);
            tap?.KeyValues(l, start, kv);
            for (var i = 0; i < count; i++)
            {
                cache.SetRow(l, start + i, kv.AsSpan(i * Config.KvWidth, Config.KvWidth));
                for (var h = 0; h < Config.Heads; h++)
                    cache.Rope.Rotate(queries.AsSpan((i * Config.Heads + h) * Config.HeadDim, Config.HeadDim), start + i);
            }

            Attend(l, queries, attended, start, count, cache, tap);
            tap?.AttentionOutput(l, start, attended);
            layer.Output.Multiply(attended, stream, count, accumulate: true);
            Norm(stream, layer.PostNorm, normed);
            layer.Gate.Multiply(normed, gate, count);
            layer.Up.Multiply(normed, up, count);
            Silu(gate, up);
            layer.Down.Multiply(gate, stream, count, accumulate: true);
        }

        Norm(stream, _finalNorm, normed);
        return normed;
    }

    private void Attend(int layer, float[] queries, float[] output, int start, int count, ReferenceCache cache, ReferenceTap? tap)
    {
        var tiles = (count + QueryTile - 1) / QueryTile;
        Parallel.For(0, tiles * Config.KvHeads, work =>
        {
            var first = work / Config.KvHeads * QueryTile;
            AttendTile(layer, work % Config.KvHeads, first, Math.Min(QueryTile, count - first), queries, output, start, cache, tap);
        });
    }

    /// <summary>A tile of tokens, all query heads of one KV head: scores, causal softmax, weighted sum of values.</summary>
    private void AttendTile(
        int layer, int kvHead, int first, int count, float[] queries, float[] output, int start, ReferenceCache cache, ReferenceTap? tap)
    {
        var (dim, group, heads, width) = (Config.HeadDim, Config.GroupSize, Config.Heads, Config.KvWidth);
        var rows = count * group;
        var keys = (start + first + count + PackedMatrix.Panel - 1) / PackedMatrix.Panel * PackedMatrix.Panel;
        var tile = new float[rows * dim];
        var scores = GC.AllocateUninitializedArray<float>(rows * keys);
        var result = new float[rows * dim];
        int Source(int row) => ((first + row / group) * heads + kvHead * group + row % group) * dim;
        for (var row = 0; row < rows; row++)
            queries.AsSpan(Source(row), dim).CopyTo(tile.AsSpan(row * dim));
        fixed (float* q = tile, s = scores, panels = cache.KeyPanels(layer, kvHead), kv = cache.Rows(layer), o = result)
        {
            for (var key = 0; key < keys; key += PackedMatrix.Panel)
                PackedMatrix.Column(q, dim, rows, panels + key * dim, PackedMatrix.Panel, dim, s + key, keys, accumulate: false);
            var bias = cache.Bias(layer, kvHead);
            for (var row = 0; row < rows; row++)
            {
                var position = start + first + row / group;
                var visible = scores.AsSpan(row * keys, position + 1);
                TensorPrimitives.Multiply(visible, 1f / MathF.Sqrt(dim), visible);
                if (bias is not null)
                    TensorPrimitives.Add(visible, bias.AsSpan(0, visible.Length), visible);
                TensorPrimitives.SoftMax(visible, visible);
                scores.AsSpan(row * keys + position + 1, keys - position - 1).Clear();
                tap?.Attention(layer, kvHead * group + row % group, position, tile.AsSpan(row * dim, dim), visible);
            }

            var values = kv + (Config.KvHeads + kvHead) * dim;
            for (var key = 0; key < keys; key += KeyBlock)
            {
                for (var column = 0; column < dim; column += PackedMatrix.Panel)
                {
                    PackedMatrix.Column(s + key, keys, rows, values + (long)key * width + column, width, Math.Min(KeyBlock, keys - key),
                        o + column, dim, accumulate: key > 0);
                }
            }
        }

        for (var row = 0; row < rows; row++)
            result.AsSpan(row * dim, dim).CopyTo(output.AsSpan(Source(row)));
    }

    private void Norm(float[] x, float[] weight, float[] y)
    {
        for (var row = 0; row < x.Length; row += Config.Hidden)
        {
            var source = x.AsSpan(row, Config.Hidden);
            var target = y.AsSpan(row, Config.Hidden);
            var scale = 1f / MathF.Sqrt(TensorPrimitives.SumOfSquares<float>(source) / Config.Hidden + Config.Epsilon);
            TensorPrimitives.Multiply(source, scale, target);
            TensorPrimitives.Multiply(target, weight, target);
        }
    }

    private static void Silu(float[] gate, float[] up)
    {
        Parallel.For(0, (gate.Length + 8191) / 8192, block =>
        {
            var range = (block * 8192)..Math.Min(gate.Length, (block + 1) * 8192);
            var g = gate.AsSpan(range);
            var u = up.AsSpan(range);
            TensorPrimitives.Multiply(g, u, u);
            TensorPrimitives.Sigmoid(g, g);
            TensorPrimitives.Multiply(g, u, g);
        });
    }

    private sealed record Layer(
        float[] InputNorm, float[] PostNorm, PackedMatrix Query, PackedMatrix KeyValue, PackedMatrix Output, float[] OutputWeight,
        PackedMatrix Gate, PackedMatrix Up, PackedMatrix Down);
}
