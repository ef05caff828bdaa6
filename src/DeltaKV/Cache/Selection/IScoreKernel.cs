using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Selection;

/// <summary>What an observation layer thinks of compressed history: the general kernel, or one that a method brings for its own form.</summary>
internal interface IScoreKernel<TReader>
    where TReader : unmanaged
{
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="decode">What the layer attended with; its log-sum-exps are there.</param>
    /// <param name="scores">Where scores go.</param>
    /// <param name="scoreStride">Entries of a list of them.</param>
    /// <param name="lists">1: of all heads together; otherwise one list per key/value head.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="rowCount">Rows.</param>
    void Launch(
        AcceleratorStream stream, DecodeArguments<TReader> decode, ArrayView<float> scores, int scoreStride, int lists, AttentionShape shape, int rowCount);
}
