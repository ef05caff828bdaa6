using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>What decode attention needs besides the shape.</summary>
internal struct DecodeArguments<TReader>
    where TReader : unmanaged
{
    /// <summary>How keys and values are read.</summary>
    public TReader Reader;

    /// <summary>Sequence and position of every row.</summary>
    public TokenRows Rows;

    /// <summary>Which tokens are read, in which order.</summary>
    public TokenOrder Order;

    /// <summary>q, k, v side by side <c>[rows, qkvWidth]</c>, q rotated; pairs of bf16.</summary>
    public ArrayView<uint> Qkv;

    /// <summary>Attention output <c>[rows, queryHeads * headDim]</c>; pairs of bf16.</summary>
    public ArrayView<BFloat16x2> Output;

    /// <summary>Unnormalised partial outputs <c>[rows, queryHeads, splits, headDim]</c>.</summary>
    public ArrayView<float> PartialOutput;

    /// <summary>(largest score, sum of exponentials), base 2, of every partial output <c>[rows, queryHeads, splits]</c>.</summary>
    public ArrayView<Float2> PartialSoftmax;

    /// <summary>Natural logarithm of the softmax denominator <c>[rows, queryHeads]</c>, or an empty view.</summary>
    public ArrayView<float> LogSumExp;

    /// <summary>Where scores of coded tokens are left behind, if anybody asks for them and the kernel does so: <see cref="IDecodeKernel{TReader}.KeepsLogits"/>.</summary>
    public TokenLogits Logits;

    /// <summary>Query heads.</summary>
    public int QueryHeads;

    /// <summary>Key/value heads.</summary>
    public int KeyHeads;

    /// <summary>Words of a row of <see cref="Qkv"/>.</summary>
    public int QkvWords;

    /// <summary>Groups that share the tokens of a row and head.</summary>
    public int Splits;

    /// <summary><c>log2(e) / sqrt(headDim)</c>.</summary>
    public float Scale;

    /// <summary>The same rows through another reader, which leaves no scores behind.</summary>
    public readonly DecodeArguments<TOther> Through<TOther>(TOther reader)
        where TOther : unmanaged => new()
        {
            Reader = reader,
            Rows = Rows,
            Order = Order,
            Qkv = Qkv,
            Output = Output,
            PartialOutput = PartialOutput,
            PartialSoftmax = PartialSoftmax,
            LogSumExp = LogSumExp,
            Splits = Splits,
        };
}
