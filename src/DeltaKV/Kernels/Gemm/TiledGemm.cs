using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Gemm;

/// <summary>Matrix product for many rows: <c>y[m,n] = sum_k x[m,k] W[n,k]</c>. Every linear layer of prefill.</summary>
/// <remarks>
/// A group computes one tile of y. Tiles of x and W, 64 k wide, stream through a ring of shared-memory stages by asynchronous 16-byte copies; the warps load
/// fragments with ldmatrix and multiply on the tensor cores. Tiles are walked in bands of <see cref="BandTiles"/> rows, so that groups
/// that run together share rows of x and W in L2. In the gated form every 16 rows of the W tile are 8 of gate and the same 8 of up.
/// Does 2 m n k operations, moves 2 (m k + n k + m n) bytes: bound by the tensor cores from m of about 300 on. k a multiple of 8, m and n free.
/// Source: the multistage scheme of CUTLASS 2 for sm_80.
/// </remarks>
internal static class TiledGemm
{
    private const int StageChunks = SwizzledTile.RowChunks;
    private const int BandTiles = 8;

    /// <summary>The shape of a group's tile.</summary>
    internal interface ITile
    {
        /// <summary>Tokens of a tile.</summary>
        static abstract int Rows { get; }

        /// <summary>Rows of W of a tile.</summary>
        static abstract int Columns { get; }

        /// <summary>Warps along the tokens.</summary>
        static abstract int WarpRows { get; }

        /// <summary>Warps along the rows of W.</summary>
        static abstract int WarpColumns { get; }

        /// <summary>Stages of the ring.</summary>
        static abstract int Stages { get; }

        /// <summary>Whether elements are IEEE halves rather than bf16.</summary>
        static abstract bool Halves { get; }
    }

    internal static void Kernel<TTile, TEpilogue>(GemmArguments arguments)
        where TTile : struct, ITile
        where TEpilogue : struct, IEpilogue
    {
        var ring = SharedMemory.GetDynamic<UInt4>();
        var columnsPerTile = TEpilogue.Gates ? TTile.Columns / 2 : TTile.Columns;
        var rowTiles = (arguments.Rows + TTile.Rows - 1) / TTile.Rows;
        var columnTiles = (arguments.Columns + columnsPerTile - 1) / columnsPerTile;
        var band = Grid.IdxX / (BandTiles * columnTiles);
        var inBand = Grid.IdxX - (band * BandTiles * columnTiles);
        var bandRows = Math.Min(BandTiles, rowTiles - (band * BandTiles));
        var firstRow = ((band * BandTiles) + (inBand % bandRows)) * TTile.Rows;
        var firstColumn = inBand / bandRows * columnsPerTile;

        var threads = 32 * TTile.WarpRows * TTile.WarpColumns;
        var rowsPerPass = threads / StageChunks;
        var loadRow = Group.IdxX / StageChunks;
        var loadChunk = Group.IdxX % StageChunks;
        var chunks = arguments.Depth >> 3;
        var inputs = LocalMemory.Allocate<int>(TTile.Rows / (4 * TTile.WarpRows * TTile.WarpColumns));
        for (var i = 0; i < Unroll.Full(TTile.Rows / (4 * TTile.WarpRows * TTile.WarpColumns)); i++)
            inputs[i] = Math.Min(firstRow + loadRow + (i * rowsPerPass), arguments.Rows - 1);
        var weights = LocalMemory.Allocate<int>(TTile.Columns / (4 * TTile.WarpRows * TTile.WarpColumns));
        for (var i = 0; i < Unroll.Full(TTile.Columns / (4 * TTile.WarpRows * TTile.WarpColumns)); i++)
            weights[i] = WeightRow<TEpilogue>(arguments, firstColumn, loadRow + (i * rowsPerPass));
        var target = (loadRow * StageChunks) + (loadChunk ^ (loadRow & 7));

        var steps = (chunks + StageChunks - 1) / StageChunks;
        var stageSize = (TTile.Rows + TTile.Columns) * StageChunks;
        for (var s = 0; s < Unroll.Full(TTile.Stages - 1); s++)
        {
            if (s < steps)
            {
                LoadInput<TTile>(arguments, ring.SubView((s * stageSize) + target), inputs, (s * StageChunks) + loadChunk, chunks);
                LoadWeight<TTile>(arguments, ring.SubView((s * stageSize) + target), weights, (s * StageChunks) + loadChunk, chunks);
            }

            CpAsync.Commit();
        }

        var sums = LocalMemory.Allocate<Float4>(TTile.Rows / (16 * TTile.WarpRows) * (TTile.Columns / (8 * TTile.WarpColumns)));
        for (var i = 0; i < Unroll.Full(TTile.Rows / (16 * TTile.WarpRows) * (TTile.Columns / (8 * TTile.WarpColumns))); i++)
            sums[i] = default;

        var warp = Group.IdxX >> 5;
        var lane = Warp.LaneIdx;
        var warpRow = warp / TTile.WarpColumns * (TTile.Rows / TTile.WarpRows);
        var warpColumn = warp % TTile.WarpColumns * (TTile.Columns / TTile.WarpColumns);
        var left = (warpRow * StageChunks) + SwizzledTile.LeftOperand(lane);
        var right = ((TTile.Rows + warpColumn) * StageChunks) + SwizzledTile.RightOperands(lane);
        var read = 0;
        var write = (TTile.Stages - 1) * stageSize;
        var a = LocalMemory.Allocate<UInt4>(2 * (TTile.Rows / (16 * TTile.WarpRows)));
        var b = LocalMemory.Allocate<UInt4>(2 * (TTile.Columns / (16 * TTile.WarpColumns)));
        CpAsync.Wait(TTile.Stages - 2);
        Group.Barrier();
        LoadFragments<TTile>(ring, left, right, 0, a, b);
        for (var step = 0; step < steps; step++)
        {
            // The fragments of the next 16 k are on their way while these are multiplied, across the border of stages too: its barrier
            // comes once this warp has read its last fragments, before it multiplies them.
            var ahead = step + TTile.Stages - 1;
            for (var k = 0; k < Unroll.Full(4); k++)
            {
                if (k < 3)
                    LoadFragments<TTile>(ring.SubView(read), left, right, k + 1, a, b);
                if (k == 0 && ahead < steps)
                    LoadInput<TTile>(arguments, ring.SubView(write + target), inputs, (ahead * StageChunks) + loadChunk, chunks);
                if (k == 1 && ahead < steps)
                    LoadWeight<TTile>(arguments, ring.SubView(write + target), weights, (ahead * StageChunks) + loadChunk, chunks);
                if (k == 1)
                    CpAsync.Commit();
                if (k == 3 && step + 1 < steps)
                {
                    CpAsync.Wait(TTile.Stages - 2);
                    Group.Barrier();
                    write = read;
                    read = read + stageSize == TTile.Stages * stageSize ? 0 : read + stageSize;
                    LoadFragments<TTile>(ring.SubView(read), left, right, 0, a, b);
                }

                Multiply<TTile>(k & 1, a, b, sums);
            }
        }

        Store<TTile, TEpilogue>(arguments, sums, firstRow + warpRow + (lane >> 2), firstColumn, warpColumn, 2 * (lane & 3));
    }

    /// <summary>The row of W that row <paramref name="tileRow"/> of the W tile holds; clamped, for what lies outside is never written.</summary>
    private static int WeightRow<TEpilogue>(in GemmArguments arguments, int firstColumn, int tileRow)
        where TEpilogue : struct, IEpilogue
    {
        if (!TEpilogue.Gates)
            return Math.Min(firstColumn + tileRow, arguments.Columns - 1);
        var column = Math.Min(firstColumn + ((tileRow >> 4) << 3) + (tileRow & 7), arguments.Columns - 1);
        return (tileRow & 8) == 0 ? column : arguments.Columns + column;
    }

    /// <summary>Starts this thread's copies of x for one stage; beyond the end of k it writes zeros.</summary>
    private static void LoadInput<TTile>(in GemmArguments arguments, ArrayView<UInt4> target, ArrayView<int> inputs, int chunk, int chunks)
        where TTile : struct, ITile
    {
        var input = arguments.Input.SubView(Math.Min(chunk, chunks - 1));
        for (var i = 0; i < Unroll.Full(TTile.Rows / (4 * TTile.WarpRows * TTile.WarpColumns)); i++)
        {
            ref var to = ref target[i * 32 * TTile.WarpRows * TTile.WarpColumns];
            CpAsync.Copy16(ref to, ref input[(long)inputs[i] * chunks], chunk < chunks ? 16 : 0);
        }
    }

    /// <summary>The same for W.</summary>
    private static void LoadWeight<TTile>(in GemmArguments arguments, ArrayView<UInt4> target, ArrayView<int> weights, int chunk, int chunks)
        where TTile : struct, ITile
    {
        var weight = arguments.Weight.SubView(Math.Min(chunk, chunks - 1));
        for (var i = 0; i < Unroll.Full(TTile.Columns / (4 * TTile.WarpRows * TTile.WarpColumns)); i++)
        {
            ref var to = ref target[(TTile.Rows * StageChunks) + (i * 32 * TTile.WarpRows * TTile.WarpColumns)];
            CpAsync.Copy16(ref to, ref weight[(long)weights[i] * chunks], chunk < chunks ? 16 : 0);
        }
    }

    /// <summary>Loads this warp's fragments of 16 k; odd and even ones have registers of their own.</summary>
    private static void LoadFragments<TTile>(ArrayView<UInt4> stage, int left, int right, int k, ArrayView<UInt4> a, ArrayView<UInt4> b)
        where TTile : struct, ITile
    {
        var fromLeft = stage.SubView(left ^ (2 * k));
        for (var i = 0; i < Unroll.Full(TTile.Rows / (16 * TTile.WarpRows)); i++)
            a[((k & 1) * (TTile.Rows / (16 * TTile.WarpRows))) + i] = LdMatrix.X4(ref fromLeft[i * 16 * StageChunks]);
        var fromRight = stage.SubView(right ^ (2 * k));
        for (var j = 0; j < Unroll.Full(TTile.Columns / (16 * TTile.WarpColumns)); j++)
            b[((k & 1) * (TTile.Columns / (16 * TTile.WarpColumns))) + j] = LdMatrix.X4(ref fromRight[j * 16 * StageChunks]);
    }

    /// <summary>Multiplies fragments of 16 k, those of even or odd number.</summary>
    private static void Multiply<TTile>(int odd, ArrayView<UInt4> a, ArrayView<UInt4> b, ArrayView<Float4> sums)
        where TTile : struct, ITile
    {
        for (var j = 0; j < Unroll.Full(TTile.Columns / (16 * TTile.WarpColumns)); j++)
        {
            var right = b[(odd * (TTile.Columns / (16 * TTile.WarpColumns))) + j];
            for (var i = 0; i < Unroll.Full(TTile.Rows / (16 * TTile.WarpRows)); i++)
            {
                var left = a[(odd * (TTile.Rows / (16 * TTile.WarpRows))) + i];
                var at = (i * (TTile.Columns / (8 * TTile.WarpColumns))) + (2 * j);
                sums[at] = Multiply<TTile>(left, new UInt2(right.X, right.Y), sums[at]);
                sums[at + 1] = Multiply<TTile>(left, new UInt2(right.Z, right.W), sums[at + 1]);
            }
        }
    }

    private static Float4 Multiply<TTile>(UInt4 left, UInt2 right, Float4 sum)
        where TTile : struct, ITile
    {
        if (TTile.Halves)
            return Mma.Half(left, right, sum);
        return Mma.BFloat16(left, right, sum);
    }

    /// <summary>Writes this lane's sums: rows <paramref name="row"/> and 8 below of every fragment, two neighbouring columns each.</summary>
    private static void Store<TTile, TEpilogue>(
        in GemmArguments arguments, ArrayView<Float4> sums, int row, int firstColumn, int warpColumn, int pair)
        where TTile : struct, ITile
        where TEpilogue : struct, IEpilogue
    {
        for (var i = 0; i < Unroll.Full(TTile.Rows / (16 * TTile.WarpRows)); i++)
        {
            for (var j = 0; j < Unroll.Full(TTile.Columns / (16 * TTile.WarpColumns)); j++)
            {
                var at = (i * (TTile.Columns / (8 * TTile.WarpColumns))) + (2 * j);
                var first = sums[at];
                var second = sums[at + 1];
                if (TEpilogue.Gates)
                {
                    var column = firstColumn + (warpColumn / 2) + (8 * j) + pair;
                    StorePair<TEpilogue>(arguments, row + (16 * i), column, Epilogue.SwiGlu(first.X, second.X), Epilogue.SwiGlu(first.Y, second.Y));
                    StorePair<TEpilogue>(arguments, row + (16 * i) + 8, column, Epilogue.SwiGlu(first.Z, second.Z), Epilogue.SwiGlu(first.W, second.W));
                }
                else
                {
                    var column = firstColumn + warpColumn + (16 * j) + pair;
                    StorePair<TEpilogue>(arguments, row + (16 * i), column, first.X, first.Y);
                    StorePair<TEpilogue>(arguments, row + (16 * i) + 8, column, first.Z, first.W);
                    StorePair<TEpilogue>(arguments, row + (16 * i), column + 8, second.X, second.Y);
                    StorePair<TEpilogue>(arguments, row + (16 * i) + 8, column + 8, second.Z, second.W);
                }
            }
        }
    }

    /// <summary>Two neighbours in one access where the row length is even, else one by one.</summary>
    private static void StorePair<TEpilogue>(in GemmArguments arguments, int row, int column, float first, float second)
        where TEpilogue : struct, IEpilogue
    {
        if (row >= arguments.Rows || column >= arguments.Columns)
            return;
        if ((arguments.Columns & 1) == 0)
        {
            Epilogue.StorePair<TEpilogue>(arguments, row, column, first, second);
            return;
        }

        Epilogue.Store<TEpilogue>(arguments, row, column, first);
        if (column + 1 < arguments.Columns)
            Epilogue.Store<TEpilogue>(arguments, row, column + 1, second);
    }
}
