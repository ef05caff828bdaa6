using DeltaKV.Engine;
using DeltaKV.Gpu;
using DeltaKV.Weights;

namespace DeltaKV.Model;

/// <summary>A model's weights on the device: one allocation, cut into tensors.</summary>
/// <typeparam name="T">What they are stored as: <see cref="BFloat16"/>, or <see cref="float"/> to check exactness.</typeparam>
internal sealed class DeviceWeights<T> : IDisposable
    where T : unmanaged
{
    /// <summary>Tensors start at multiples of this many elements, so that 16-byte loads are aligned and no cache line is shared.</summary>
    private const int Alignment = 128;

    private readonly MemoryBuffer1D<T, Stride1D.Dense> arena;
    private long used;

    private DeviceWeights(Accelerator accelerator, ModelConfig config)
    {
        arena = accelerator.Allocate1D<T>(Elements(config));
        var layers = new LayerWeights<T>[config.LayerCount];
        Embedding = Cut((long)config.VocabularySize * config.HiddenSize);
        for (var layer = 0; layer < layers.Length; layer++)
            layers[layer] = CutLayer(config);
        Layers = layers;
        FinalNorm = Cut(config.HiddenSize);
        Head = config.TieWordEmbeddings ? Embedding : Cut((long)config.VocabularySize * config.HiddenSize);
    }

    /// <summary><c>[vocabulary, hidden]</c></summary>
    internal ArrayView<T> Embedding { get; }

    internal IReadOnlyList<LayerWeights<T>> Layers { get; }

    /// <summary><c>[hidden]</c></summary>
    internal ArrayView<T> FinalNorm { get; }

    /// <summary>The language-model head, <c>[vocabulary, hidden]</c>; the embedding itself where they are tied.</summary>
    internal ArrayView<T> Head { get; }

    internal long ByteLength => arena.LengthInBytes;

    /// <summary>How many elements the weights of such a model take, alignment included.</summary>
    internal static long Elements(ModelConfig config)
    {
        var vocabulary = Aligned((long)config.VocabularySize * config.HiddenSize);
        var perLayer = LayerShapes(config).Sum(Aligned);
        return (vocabulary * (config.TieWordEmbeddings ? 1 : 2)) + Aligned(config.HiddenSize) + (perLayer * config.LayerCount);
    }

    /// <summary>Reads and uploads every tensor the configuration asks for.</summary>
    /// <exception cref="ModelFormatException">A tensor is missing or of another shape.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing stays allocated.</exception>
    internal static DeviceWeights<T> Load(
        AcceleratorStream stream, ModelConfig config, ModelWeights source, MemoryPlan plan, IProgress<LoadProgress>? progress, CancellationToken cancellation)
    {
        var weights = new DeviceWeights<T>(stream.Accelerator, config);
        try
        {
            weights.Upload(config, new WeightUploader<T>(stream, source, plan, progress, cancellation));
            stream.Synchronize();
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Weights without a file, for benchmarks: <paramref name="fill"/> writes the whole arena.</summary>
    internal static DeviceWeights<T> Create(Accelerator accelerator, ModelConfig config, Action<ArrayView<T>> fill)
    {
        var weights = new DeviceWeights<T>(accelerator, config);
        fill(weights.arena.View);
        return weights;
    }

    public void Dispose() => arena.Dispose();

    private static long Aligned(long elements) => (elements + Alignment - 1) / Alignment * Alignment;

    /// <summary>Elements of a layer's tensors in the order of <see cref="LayerWeights{T}"/>.</summary>
    private static long[] LayerShapes(ModelConfig config)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize;
        long queries = config.HeadCount * config.HeadDim, qkv = queries + config.KeyValueWidth;
        long headNorm = config.HasQkNorm ? config.HeadDim : 0;
        return
        [
            hidden, qkv * hidden, config.HasQkvBias ? qkv : 0, headNorm, headNorm,
            hidden * queries, hidden, 2 * intermediate * hidden, hidden * intermediate,
        ];
    }

    private LayerWeights<T> CutLayer(ModelConfig config)
    {
        var parts = Array.ConvertAll(LayerShapes(config), Cut);
        return new LayerWeights<T>(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6], parts[7], parts[8]);
    }

    private ArrayView<T> Cut(long elements)
    {
        var view = arena.View.BaseView.SubView(used, elements);
        used += Aligned(elements);
        return view;
    }

    private void Upload(ModelConfig config, WeightUploader<T> uploader)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize, headDim = config.HeadDim;
        long queries = config.HeadCount * headDim, keys = config.KeyValueHeadCount * headDim;
        uploader.Upload(Embedding, WeightNames.Embedding, config.VocabularySize, hidden);
        for (var i = 0; i < Layers.Count; i++)
        {
            var layer = Layers[i];
            string Name(string part) => WeightNames.Layer(i, part);
            uploader.Upload(layer.AttentionNorm, Name("input_layernorm.weight"), hidden);
            var rest = uploader.Upload(layer.Qkv, Name("self_attn.q_proj.weight"), queries, hidden);
            rest = uploader.Upload(rest, Name("self_attn.k_proj.weight"), keys, hidden);
            uploader.Upload(rest, Name("self_attn.v_proj.weight"), keys, hidden);
            if (config.HasQkvBias)
            {
                rest = uploader.Upload(layer.QkvBias, Name("self_attn.q_proj.bias"), queries);
                rest = uploader.Upload(rest, Name("self_attn.k_proj.bias"), keys);
                uploader.Upload(rest, Name("self_attn.v_proj.bias"), keys);
            }

            if (config.HasQkNorm)
            {
                uploader.Upload(layer.QueryNorm, Name("self_attn.q_norm.weight"), headDim);
                uploader.Upload(layer.KeyNorm, Name("self_attn.k_norm.weight"), headDim);
            }

            uploader.Upload(layer.Output, Name("self_attn.o_proj.weight"), hidden, queries);
            uploader.Upload(layer.FeedForwardNorm, Name("post_attention_layernorm.weight"), hidden);
            rest = uploader.Upload(layer.GateUp, Name("mlp.gate_proj.weight"), intermediate, hidden);
            uploader.Upload(rest, Name("mlp.up_proj.weight"), intermediate, hidden);
            uploader.Upload(layer.Down, Name("mlp.down_proj.weight"), hidden, intermediate);
        }

        uploader.Upload(FinalNorm, WeightNames.FinalNorm, hidden);
        if (!config.TieWordEmbeddings)
            uploader.Upload(Head, WeightNames.LanguageModelHead, config.VocabularySize, hidden);
    }
}
