using DeltaKV.Compression.Codes.Encoding;
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

    /// <summary>Rows from one that a thread copies to its next.</summary>
    internal const int RowStep = 32 * Warps / SwizzledTile.RowChunks;

    private const int StageChunks = SwizzledTile.RowChunks;
    private const int Stages = 3;

    /// <summary>16-byte pieces of a stage.</summary>
    private const int StageSize = (LeftRows + WeightRows) * StageChunks;

    /// <summary>Where the rows that are multiplied come from.</summary>
    internal interface ILeftRows<TSelf>
    {
        /// <summary>A piece of 16 bytes of the <paramref name="row"/>-th row that a thread copies, <paramref name="at"/> as the kernel numbers them.</summary>
        static abstract ref UInt4 Piece(in TSelf rows, int row, long at);
    }

    /// <summary>The first row that a thread copies.</summary>
    internal static int FirstRow => Group.IdxX / StageChunks;

    /// <summary>The warp's first of the multiplied rows.</summary>
    internal static int WarpRow => (Group.IdxX >> 6) * (LeftRows / 2);

    private static int WarpColumn => ((Group.IdxX >> 5) & 1) * (WeightRows / 2);

    /// <summary>A launch of so many groups.</summary>
    internal static KernelConfig Config(Index3D grid) => new(grid, new Index3D(32 * Warps, 1, 1), SharedMemoryConfig.RequestDynamic<UInt4>(Stages * StageSize));

    /// <summary>Columns that a group works on.</summary>
    internal static int Columns(bool isGated) => isGated ? WeightRows / 2 : WeightRows;

    /// <summary>The first of the two columns of which fragment j of a row of fragments has this lane's sums; the second is its neighbour.</summary>
    internal static int Column(bool isGated, int firstColumn, int j) =>
        firstColumn + (isGated ? (WarpColumn / 2) + (4 * j) : WarpColumn + (8 * j)) + (2 * (Warp.LaneIdx & 3));

    /// <summary>A warp's sums, 4 by 4 fragments: rows of the left times <paramref name="count"/> rows of the weight, gated twice as many, from <paramref name="firstColumn"/> on.</summary>
    /// <param name="rows">The left rows.</param>
    /// <param name="left">Where the thread's rows begin, <see cref="RowStep"/> apart.</param>
    /// <param name="weights">The weight in eights of halves.</param>
    /// <param name="chunks">Eights of a row.</param>
    /// <param name="count">Columns of the result.</param>
    /// <param name="firstColumn">The group's first.</param>
    internal static ArrayView<Float4> Products<TKind, TRows>(in TRows rows, ArrayView<long> left, ArrayView<UInt4> weights, int chunks, int count, int firstColumn)
        where TKind : struct, IFeatureKind
        where TRows : struct, ILeftRows<TRows>
    {
        var right = LocalMemory.Allocate<long>(WeightRows / RowStep);
        for (var i = 0; i < Unroll.Full(WeightRows / RowStep); i++)
            right[i] = (long)WeightRow(TKind.Gates, count, firstColumn, FirstRow + (RowStep * i)) * chunks;
        var ring = SharedMemory.GetDynamic<UInt4>();
        var chunk = Group.IdxX % StageChunks;
        var target = (FirstRow * StageChunks) + (chunk ^ (FirstRow & 7));
        var steps = (chunks + StageChunks - 1) / StageChunks;
        for (var s = 0; s < Unroll.Full(Stages - 1); s++)
        {
            if (s < steps)
                Load(rows, weights, ring.SubView((s * StageSize) + target), left, right, (s * StageChunks) + chunk, chunks);
            CpAsync.Commit();
        }

        var sums = LocalMemory.Allocate<Float4>(16);
        for (var i = 0; i < Unroll.Full(16); i++)
            sums[i] = default;
        var readLeft = (WarpRow * StageChunks) + SwizzledTile.LeftOperand(Warp.LaneIdx);
        var readRight = ((LeftRows + WarpColumn) * StageChunks) + SwizzledTile.RightOperands(Warp.LaneIdx);
        for (var step = 0; step < steps; step++)
        {
            CpAsync.Wait(Stages - 2);
            Group.Barrier();
            var ahead = step + Stages - 1;
            if (ahead < steps)
                Load(rows, weights, ring.SubView((ahead % Stages * StageSize) + target), left, right, (ahead * StageChunks) + chunk, chunks);
            CpAsync.Commit();
            Multiply(ring.SubView(step % Stages * StageSize), readLeft, readRight, sums);
        }

        return sums;
    }

    /// <summary>What the layer makes of a lane's sums at <paramref name="at"/>: two columns, of which the biases, of rows 0 and 8 of the fragment.</summary>
    internal static Float4 Features<TKind>(ArrayView<Float4> sums, int at, Float2 biases, Float2 upBiases)
        where TKind : struct, IFeatureKind
    {
        var sum = sums[at];
        if (TKind.Gates)
        {
            var up = sums[at + 1];
            return new Float4(
                Gate(sum.X, up.X, biases.X, upBiases.X), Gate(sum.Y, up.Y, biases.Y, upBiases.Y), Gate(sum.Z, up.Z, biases.X, upBiases.X), Gate(sum.W, up.W, biases.Y, upBiases.Y));
        }

        return TKind.Bends
            ? new Float4(Activation.Gelu(sum.X + biases.X), Activation.Gelu(sum.Y + biases.Y), Activation.Gelu(sum.Z + biases.X), Activation.Gelu(sum.W + biases.Y))
            : sum;
    }

    /// <summary>Starts this thread's copies of one stage; beyond the end of a row it writes zeros.</summary>
    private static void Load<TRows>(
        in TRows rows, ArrayView<UInt4> weights, ArrayView<UInt4> target, ArrayView<long> left, ArrayView<long> right, int chunk, int chunks)
        where TRows : struct, ILeftRows<TRows>
    {
        var bytes = chunk < chunks ? 16 : 0;
        var from = Math.Min(chunk, chunks - 1);
        for (var i = 0; i < Unroll.Full(LeftRows / RowStep); i++)
            CpAsync.Copy16(ref target[RowStep * i * StageChunks], ref TRows.Piece(rows, i, left[i] + from), bytes);
        for (var i = 0; i < Unroll.Full(WeightRows / RowStep); i++)
            CpAsync.Copy16(ref target[(LeftRows + (RowStep * i)) * StageChunks], ref weights[right[i] + from], bytes);
    }

    /// <summary>The row of a weight that row <paramref name="tileRow"/> of its tile holds; clamped, for what lies outside is never written.</summary>
    private static int WeightRow(bool isGated, int count, int firstColumn, int tileRow)
    {
        if (!isGated)
            return Math.Min(firstColumn + tileRow, count - 1);
        var column = Math.Min(firstColumn + ((tileRow >> 4) << 3) + (tileRow & 7), count - 1);
        return (tileRow & 8) == 0 ? column : count + column;
    }

    /// <summary>Adds a stage's 64 products to a warp's sums.</summary>
    private static void Multiply(ArrayView<UInt4> stage, int readLeft, int readRight, ArrayView<Float4> sums)
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
    private static float Gate(float gate, float up, float gateBias, float upBias) => Activation.Silu(gate + gateBias) * (up + upBias);
}
