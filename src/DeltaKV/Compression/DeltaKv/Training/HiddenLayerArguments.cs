using DeltaKV.Gpu;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>What <see cref="HiddenLayerKernels{TKind}"/> work on.</summary>
internal struct HiddenLayerArguments
{
    /// <summary>Products with the weight <c>[2 batch, rows]</c>, or <c>[batch, rows]</c> where nothing is subtracted.</summary>
    public ArrayView<float> Sums;

    /// <summary>Bias <c>[rows]</c>.</summary>
    public ArrayView<float> Bias;

    /// <summary>Differences of features, or features <c>[batch, features]</c>, pairs of halves.</summary>
    public ArrayView<uint> Differences;

    /// <summary>Their gradients <c>[batch, features]</c>.</summary>
    public ArrayView<float> Gradients;

    /// <summary>Gradients of the sums, pairs of halves.</summary>
    public ArrayView<uint> Spread;

    /// <summary>Tokens.</summary>
    public int Batch;

    /// <summary>Features.</summary>
    public int Features;

    /// <summary>1: the features of references are subtracted, as in an encoder; 0: there are none, as in a decoder.</summary>
    public int Subtracts;
}
