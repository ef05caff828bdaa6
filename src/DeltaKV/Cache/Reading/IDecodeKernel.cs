using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>Attention of one query per sequence over what a reader reads: the general kernel, or one that a method brings for its own form.</summary>
internal interface IDecodeKernel<TReader>
    where TReader : unmanaged
{
    /// <summary>Attends <paramref name="rowCount"/> rows. Partial buffers must hold <c>rows * queryHeads * splits</c> entries unless splits is 1.</summary>
    /// <param name="stream">Where to enqueue.</param>
    /// <param name="arguments">What is read.</param>
    /// <param name="shape">The heads.</param>
    /// <param name="rowCount">Rows.</param>
    void Launch(AcceleratorStream stream, DecodeArguments<TReader> arguments, AttentionShape shape, int rowCount);

    /// <summary>Whether reading every token of a layer leaves the scores of coded ones behind where <see cref="DecodeArguments{TReader}.Logits"/> says.</summary>
    /// <param name="reader">The layer.</param>
    bool KeepsLogits(TReader reader) => false;
}
