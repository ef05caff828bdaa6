using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Gemm;

/// <summary>The operands of <c>y = x W^T</c> as the kernels take them.</summary>
/// <param name="input">x <c>[rows, depth]</c>.</param>
/// <param name="weight">W <c>[columns, depth]</c>; gated: <c>[2 columns, depth]</c>, gate rows first.</param>
/// <param name="output">y <c>[rows, columns]</c> unless it is fp32.</param>
/// <param name="singles">y <c>[rows, columns]</c> if it is fp32.</param>
/// <param name="addend">Bias <c>[columns]</c> or residual <c>[rows, columns]</c>.</param>
/// <param name="rows">m: the tokens.</param>
/// <param name="columns">n: the features of y.</param>
/// <param name="depth">k: the features of x.</param>
internal readonly struct GemmArguments(
    ArrayView<BFloat16> input,
    ArrayView<BFloat16> weight,
    ArrayView<BFloat16> output,
    ArrayView<float> singles,
    ArrayView<BFloat16> addend,
    int rows,
    int columns,
    int depth)
{
    /// <summary>x in pieces of 16 bytes.</summary>
    public readonly ArrayView<UInt4> Input = input.Cast<UInt4>();

    /// <summary>W in pieces of 16 bytes.</summary>
    public readonly ArrayView<UInt4> Weight = weight.Cast<UInt4>();

    /// <summary>y in bf16.</summary>
    public readonly ArrayView<BFloat16> Output = output;

    /// <summary>y in fp32.</summary>
    public readonly ArrayView<float> Singles = singles;

    /// <summary>Bias or residual.</summary>
    public readonly ArrayView<BFloat16> Addend = addend;

    /// <summary>m.</summary>
    public readonly int Rows = rows;

    /// <summary>n.</summary>
    public readonly int Columns = columns;

    /// <summary>k.</summary>
    public readonly int Depth = depth;
}
