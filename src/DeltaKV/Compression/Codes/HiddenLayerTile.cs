using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Gemm;

namespace DeltaKV.Compression.Codes;

/// <summary>What products of hidden layers have in common: four warps multiply 128 rows by 64 rows of a weight, halves that stream through a ring of asynchronous copies as in <see cref="TiledGemm"/>.</summary>
/// <remarks>In the gated form every 16 rows of the weight's tile are 8 of gate and the same 8 of up, which so meet in one lane.</remarks>
internal static class HiddenLayerTile
{
    /// <summary>Warps of a group.</summary>
    internal const int Warps = 4;

    /// <summary>Rows that are multiplied.</summary>
    internal const int LeftRows = 128;

    /// <summary>Rows of the weight.</summary>
    internal const int WeightRows = 64;

    /// <summary>Stages of the ring.</summary>
    internal const int Stages = 3;

    /// <summary>16-byte pieces of a stage.</summary>
    internal const int StageSize = (LeftRows + WeightRows) * SwizzledTile.RowChunks;

    /// <summary>A launch of so many groups.</summary>
    internal static KernelConfig Config(Index3D grid) => new(grid, new Index3D(32 * Warps, 1, 1), SharedMemoryConfig.RequestDynamic<UInt4>(Stages * StageSize));

    /// <summary>The row of a weight that row <paramref name="tileRow"/> of its tile holds, of <paramref name="count"/> columns or twice as many rows; clamped, for what lies outside is never written.</summary>
    internal static int WeightRow(bool isGated, int count, int firstColumn, int tileRow)
    {
        if (!isGated)
            return Math.Min(firstColumn + tileRow, count - 1);
        var column = Math.Min(firstColumn + ((tileRow >> 4) << 3) + (tileRow & 7), count - 1);
        return (tileRow & 8) == 0 ? column : count + column;
    }

    /// <summary>Adds a stage's 64 products to a warp's sums, 4 by 4 fragments.</summary>
    internal static void Multiply(ArrayView<UInt4> stage, int readLeft, int readRight, ArrayView<Float4> sums)
    {
        for (var k = 0; k < Unroll.Full(4); k++)
        {
            var fromLeft = stage.SubView(readLeft ^ (2 * k));
            var fromRight = stage.SubView(readRight ^ (2 * k));
            for (var j = 0; j < Unroll.Full(2); j++)
            {
                var b = LdMatrix.X4(ref fromRight[16 * j * SwizzledTile.RowChunks]);
                for (var i = 0; i < Unroll.Full(4); i++)
                {
                    var a = LdMatrix.X4(ref fromLeft[16 * i * SwizzledTile.RowChunks]);
                    sums[(4 * i) + (2 * j)] = Mma.Half(a, new UInt2(b.X, b.Y), sums[(4 * i) + (2 * j)]);
                    sums[(4 * i) + (2 * j) + 1] = Mma.Half(a, new UInt2(b.Z, b.W), sums[(4 * i) + (2 * j) + 1]);
                }
            }
        }
    }

    /// <summary><c>silu(gate) * up</c>, biases added.</summary>
    internal static float Gate(float gate, float up, float gateBias, float upBias) => Activation.Silu(gate + gateBias) * (up + upBias);
}
