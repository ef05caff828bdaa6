using DeltaKV.Gpu;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>What <see cref="HiddenLayerKernels{TKind}"/> work on.</summary>
internal struct HiddenLayerArguments
{
    /// <summary>Products with the weight <c>[2 batch, rows]</c>.</summary>
    public ArrayView<float> Sums;

    /// <summary>Bias <c>[rows]</c>.</summary>
    public ArrayView<float> Bias;

    /// <summary>Differences of features <c>[batch, features]</c>, pairs of halves.</summary>
    public ArrayView<uint> Differences;

    /// <summary>Their gradients <c>[batch, features]</c>.</summary>
    public ArrayView<float> Gradients;

    /// <summary>Gradients of the sums <c>[2 batch, rows]</c>, pairs of halves.</summary>
    public ArrayView<uint> Spread;

    /// <summary>Tokens.</summary>
    public int Batch;

    /// <summary>Features.</summary>
    public int Features;
}
