using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using static DeltaKV.Compression.Codes.HiddenLayerTile;

namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>One layer of a decoder over listed tokens: <c>y[t, n] = act(sum_k x[t, k] w[n, k] + b[n])</c>, act SwiGLU, GELU or nothing.</summary>
/// <remarks>
/// Shapes as in <see cref="DecoderOperands"/>; fp32 sums, one rounding to fp16. One group of four warps per (64 rows of w, 128 tokens); tiles of 64 k stream through a ring of asynchronous copies as in
/// <see cref="HiddenLayerTile"/>. A tile of tokens whose first entry is none ends at once: how many tokens there are is the device's
/// business, so that decode steps replay as graphs. <c>2 k</c> operations per token and row of w: bound by the tensor cores from some 300 tokens on, below that by reading w.
/// </remarks>
internal sealed class DecoderProduct(Accelerator accelerator)
{
    /// <summary>Tokens of a tile.</summary>
    internal const int TileTokens = LeftRows;

    private readonly KernelHandle<DecoderOperands> gated = new(accelerator, Kernel<GatedFeatures>, new(32 * Warps, 2));
    private readonly KernelHandle<DecoderOperands> smooth = new(accelerator, Kernel<SmoothFeatures>, new(32 * Warps, 2));
    private readonly KernelHandle<DecoderOperands> plain = new(accelerator, Kernel<PlainSums>, new(32 * Warps, 2));

    /// <summary>Launches a layer; no activation: no bias either.</summary>
    internal void Launch(AcceleratorStream stream, FeatureActivation? activation, DecoderOperands operands)
    {
        var columns = Columns(activation == FeatureActivation.SwiGlu);
        var grid = new Index3D((operands.Columns + columns - 1) / columns, (operands.Count + TileTokens - 1) / TileTokens, 1);
        (activation switch { FeatureActivation.SwiGlu => gated, FeatureActivation.Gelu => smooth, _ => plain }).Launch(stream, Config(grid), operands);
    }

    private static void Kernel<TKind>(DecoderOperands operands)
        where TKind : struct, IFeatureKind
    {
        var firstToken = Grid.IdxY * TileTokens;
        if (operands.Tokens[firstToken].Position < 0)
            return;
        var firstColumn = Grid.IdxX * Columns(TKind.Gates);
        var left = LocalMemory.Allocate<long>(TileTokens / RowStep);
        for (var i = 0; i < Unroll.Full(TileTokens / RowStep); i++)
            left[i] = (long)Math.Min(firstToken + FirstRow + (RowStep * i), operands.Count - 1) * operands.InputPitch;
        var sums = Products<TKind, DecoderOperands>(operands, left, operands.Weights, operands.Chunks, operands.Columns, firstColumn);
        Store<TKind>(operands, sums, firstToken + WarpRow + (Warp.LaneIdx >> 2), firstColumn);
    }

    /// <summary>Writes this lane's sums: rows <paramref name="row"/> and 8 below of every fragment, two neighbouring columns each.</summary>
    private static void Store<TKind>(in DecoderOperands operands, ArrayView<Float4> sums, int row, int firstColumn)
        where TKind : struct, IFeatureKind
    {
        for (var i = 0; i < Unroll.Full(4); i++)
        {
            for (var j = 0; j < Unroll.Full(4); j++)
            {
                // Even fragments are gates, the odd ones after them their ups.
                if (TKind.Gates && (j & 1) == 1)
                    continue;
                var column = Column(TKind.Gates, firstColumn, j);
                if (column >= operands.Columns)
                    continue;
                var features = Features<TKind>(
                    sums, (4 * i) + j, TKind.Gates || TKind.Bends ? Biases(operands, column) : default, TKind.Gates ? Biases(operands, operands.Columns + column) : default);
                Write(operands, row + (16 * i), column, features.X, features.Y);
                Write(operands, row + (16 * i) + 8, column, features.Z, features.W);
            }
        }
    }

    private static Float2 Biases(in DecoderOperands operands, int at) => operands.Biases.Cast<Float2>()[at >> 1];

    private static void Write(in DecoderOperands operands, int row, int column, float first, float second)
    {
        if (row < operands.Count)
            operands.Outputs[((long)row * operands.OutputPitch) + (column >> 1)] = HalfRange.Pack(first, second);
    }
}
