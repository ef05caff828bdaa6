using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Gemm;
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

    private const int StageChunks = SwizzledTile.RowChunks;

    private readonly KernelHandle<DecoderOperands> gated = new(accelerator, Kernel<GatedFeatures>, new(32 * Warps, 2));
    private readonly KernelHandle<DecoderOperands> smooth = new(accelerator, Kernel<SmoothFeatures>, new(32 * Warps, 2));
    private readonly KernelHandle<DecoderOperands> plain = new(accelerator, Kernel<PlainSums>, new(32 * Warps, 2));

    /// <summary>Launches a layer; no activation: no bias either.</summary>
    internal void Launch(AcceleratorStream stream, FeatureActivation? activation, DecoderOperands operands)
    {
        var columns = activation == FeatureActivation.SwiGlu ? WeightRows / 2 : WeightRows;
        var grid = new Index3D((operands.Columns + columns - 1) / columns, (operands.Count + TileTokens - 1) / TileTokens, 1);
        (activation switch { FeatureActivation.SwiGlu => gated, FeatureActivation.Gelu => smooth, _ => plain }).Launch(stream, Config(grid), operands);
    }

    private static void Kernel<TKind>(DecoderOperands operands)
        where TKind : struct, IFeatureKind
    {
        var firstToken = Grid.IdxY * TileTokens;
        if (operands.Tokens[firstToken].Position < 0)
            return;
        var firstColumn = Grid.IdxX * (TKind.Gates ? WeightRows / 2 : WeightRows);
        var ring = SharedMemory.GetDynamic<UInt4>();
        var loadRow = Group.IdxX / StageChunks;
        var loadChunk = Group.IdxX % StageChunks;
        var left = LocalMemory.Allocate<long>(TileTokens / 16);
        for (var i = 0; i < Unroll.Full(TileTokens / 16); i++)
            left[i] = (long)Math.Min(firstToken + loadRow + (16 * i), operands.Count - 1) * operands.InputPitch;
        var right = LocalMemory.Allocate<long>(WeightRows / 16);
        for (var i = 0; i < Unroll.Full(WeightRows / 16); i++)
            right[i] = (long)WeightRow(TKind.Gates, operands.Columns, firstColumn, loadRow + (16 * i)) * operands.Chunks;
        var target = (loadRow * StageChunks) + (loadChunk ^ (loadRow & 7));

        var steps = (operands.Chunks + StageChunks - 1) / StageChunks;
        for (var s = 0; s < Unroll.Full(Stages - 1); s++)
        {
            if (s < steps)
                Load(operands, ring.SubView((s * StageSize) + target), left, right, (s * StageChunks) + loadChunk);
            CpAsync.Commit();
        }

        var sums = LocalMemory.Allocate<Float4>(16);
        for (var i = 0; i < Unroll.Full(16); i++)
            sums[i] = default;
        var lane = Warp.LaneIdx;
        var warpRow = (Group.IdxX >> 6) * (TileTokens / 2);
        var warpColumn = ((Group.IdxX >> 5) & 1) * (WeightRows / 2);
        var readLeft = (warpRow * StageChunks) + SwizzledTile.LeftOperand(lane);
        var readRight = ((TileTokens + warpColumn) * StageChunks) + SwizzledTile.RightOperands(lane);
        for (var step = 0; step < steps; step++)
        {
            CpAsync.Wait(Stages - 2);
            Group.Barrier();
            var ahead = step + Stages - 1;
            if (ahead < steps)
                Load(operands, ring.SubView((ahead % Stages * StageSize) + target), left, right, (ahead * StageChunks) + loadChunk);
            CpAsync.Commit();
            Multiply(ring.SubView(step % Stages * StageSize), readLeft, readRight, sums);
        }

        Store<TKind>(operands, sums, firstToken + warpRow + (lane >> 2), firstColumn, warpColumn, 2 * (lane & 3));
    }

    /// <summary>Starts this thread's copies of one stage; beyond the end of a row it writes zeros.</summary>
    private static void Load(in DecoderOperands operands, ArrayView<UInt4> target, ArrayView<long> left, ArrayView<long> right, int chunk)
    {
        var bytes = chunk < operands.Chunks ? 16 : 0;
        var from = Math.Min(chunk, operands.Chunks - 1);
        for (var i = 0; i < Unroll.Full(TileTokens / 16); i++)
            CpAsync.Copy16(ref target[16 * i * StageChunks], ref operands.Inputs[left[i] + from], bytes);
        for (var i = 0; i < Unroll.Full(WeightRows / 16); i++)
            CpAsync.Copy16(ref target[(TileTokens + (16 * i)) * StageChunks], ref operands.Weights[right[i] + from], bytes);
    }

    /// <summary>Writes this lane's sums: rows <paramref name="row"/> and 8 below of every fragment, two neighbouring columns each.</summary>
    private static void Store<TKind>(in DecoderOperands operands, ArrayView<Float4> sums, int row, int firstColumn, int warpColumn, int pair)
        where TKind : struct, IFeatureKind
    {
        for (var i = 0; i < Unroll.Full(4); i++)
        {
            for (var j = 0; j < Unroll.Full(4); j++)
            {
                var sum = sums[(4 * i) + j];
                if (TKind.Gates)
                {
                    // Even blocks are gates, the odd ones after them their ups.
                    if ((j & 1) == 1)
                        continue;
                    var column = firstColumn + (warpColumn / 2) + (4 * j) + pair;
                    if (column >= operands.Columns)
                        continue;
                    var up = sums[(4 * i) + j + 1];
                    var gates = operands.Biases.Cast<Float2>()[column >> 1];
                    var ups = operands.Biases.Cast<Float2>()[(operands.Columns + column) >> 1];
                    Write(operands, row + (16 * i), column, Gate(sum.X, up.X, gates.X, ups.X), Gate(sum.Y, up.Y, gates.Y, ups.Y));
                    Write(operands, row + (16 * i) + 8, column, Gate(sum.Z, up.Z, gates.X, ups.X), Gate(sum.W, up.W, gates.Y, ups.Y));
                }
                else
                {
                    var column = firstColumn + warpColumn + (8 * j) + pair;
                    if (column >= operands.Columns)
                        continue;
                    if (TKind.Bends)
                    {
                        var bias = operands.Biases.Cast<Float2>()[column >> 1];
                        sum = new Float4(
                            Activation.Gelu(sum.X + bias.X), Activation.Gelu(sum.Y + bias.Y), Activation.Gelu(sum.Z + bias.X), Activation.Gelu(sum.W + bias.Y));
                    }

                    Write(operands, row + (16 * i), column, sum.X, sum.Y);
                    Write(operands, row + (16 * i) + 8, column, sum.Z, sum.W);
                }
            }
        }
    }

    private static void Write(in DecoderOperands operands, int row, int column, float first, float second)
    {
        if (row < operands.Count)
            operands.Outputs[((long)row * operands.OutputPitch) + (column >> 1)] = HalfRange.Pack(first, second);
    }
}
