using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Model;
using DeltaKV.Weights;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>
/// The first layer's kv before RoPE of every token of the vocabulary: norm and projection of its embedding, a function of the id alone. Computed once when a model is
/// loaded, so that the layer's history is stored as token ids.
/// </summary>
/// <remarks>Shape <c>[vocabulary, width / 2]</c> pairs of halves: <c>2 * width</c> bytes per word of the vocabulary, counted as weights, not as cache.</remarks>
internal sealed class FirstLayerTable : IDisposable
{
    private const int ChunkRows = 256;

    private readonly MemoryBuffer1D<uint, Stride1D.Dense> rows;

    /// <summary>Computes the table; everything it needs besides is released when it is done.</summary>
    internal FirstLayerTable(AcceleratorStream stream, ModelConfig config, DeviceWeights<BFloat16> weights, ITransformerKernels<BFloat16> kernels)
    {
        var accelerator = stream.Accelerator;
        var (hidden, qkvWidth) = (config.HiddenSize, kernels.Shape.QkvWidth);
        rows = accelerator.Allocate1D<uint>((long)config.VocabularySize * config.KeyValueWidth / 2);
        using var ids = accelerator.Allocate1D(Enumerable.Range(0, config.VocabularySize).ToArray());
        using var embedded = accelerator.Allocate1D<BFloat16>(ChunkRows * hidden);
        using var normed = accelerator.Allocate1D<BFloat16>(ChunkRows * hidden);
        using var qkv = accelerator.Allocate1D<BFloat16>((long)ChunkRows * qkvWidth);
        var layer = weights.Layers[0];
        var extract = new FirstLayerKernel(accelerator);
        for (var first = 0; first < config.VocabularySize; first += ChunkRows)
        {
            var count = Math.Min(ChunkRows, config.VocabularySize - first);
            kernels.Gather(stream, ids.View.BaseView.SubView(first, count), weights.Embedding, embedded.View, count, hidden);
            kernels.Norm(stream, embedded.View, layer.AttentionNorm, normed.View, count, hidden, config.RmsNormEpsilon);
            if (config.HasQkvBias)
                kernels.LinearBias(stream, normed.View, layer.Qkv, layer.QkvBias, qkv.View, count, qkvWidth, hidden);
            else
                kernels.Linear(stream, normed.View, layer.Qkv, qkv.View, count, qkvWidth, hidden);
            extract.Launch(
                stream, qkv.View, layer.KeyNorm, config.RmsNormEpsilon, kernels.Shape, rows.View.BaseView.SubView((long)first * config.KeyValueWidth / 2), count);
        }

        stream.Synchronize();
    }

    /// <summary><c>[vocabulary, width / 2]</c> pairs of halves.</summary>
    internal ArrayView<uint> Rows => rows.View;

    /// <summary>What stands for a codec of the recomputed layer: nothing stored.</summary>
    internal static LinearCodec Codec(int keyHeads, int headDim) => new()
    {
        KeyHeads = keyHeads,
        HeadDim = headDim,
        Mean = new float[2 * keyHeads * headDim],
        Groups = [new CodeGroup(0, 2 * keyHeads * headDim, [], [], [])],
    };

    public void Dispose() => rows.Dispose();
}
