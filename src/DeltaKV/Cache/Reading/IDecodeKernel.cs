using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>Attention of one query per sequence over what a reader reads: the general kernel, or one that a method brings for its own form.</summary>
internal interface IDecodeKernel<TReader>
    where TReader : unmanaged
{
    /// <summary>Attends <paramref name="rowCount"/> rows. Partial buffers must hold <c>rows * queryHeads * splits</c> entries unless splits is 1.</summary>
    void Launch(AcceleratorStream stream, DecodeArguments<TReader> arguments, AttentionShape shape, int rowCount);
}
