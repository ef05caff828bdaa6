using DeltaKV.Gpu;

namespace DeltaKV.Kernels;

/// <summary>Transpose of halves: <c>y[c,r] = x[r,c]</c>.</summary>
/// <remarks>
/// Shapes: x <c>[rows, columns]</c>, y <c>[columns, rows]</c>, pairs of halves; rows and columns even. A group moves a 64 x 64 tile through shared memory by words
/// of two; rows of the tile are 33 words, so that a column lies in 32 banks. Moves 4 bytes per element: bound by memory.
/// </remarks>
internal sealed class HalfTransposeKernel(Accelerator accelerator)
{
    private const int Tile = 64;
    private const int Pitch = (Tile / 2) + 1;
    private const int GroupRows = 8;

    private readonly KernelHandle<Arguments> transpose = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, ArrayView<uint> x, ArrayView<uint> y, int rows, int columns)
    {
        if (rows % 2 != 0 || columns % 2 != 0)
            throw new ArgumentException($"A transpose of {rows} x {columns} halves; even numbers are needed.", nameof(rows));
        var grid = new Index2D((columns + Tile - 1) / Tile, (rows + Tile - 1) / Tile);
        transpose.Launch(stream, new KernelConfig(grid, new Index2D(32, GroupRows)), new Arguments { X = x, Y = y, Rows = rows, Columns = columns });
    }

    private static void Kernel(Arguments arguments)
    {
        var tile = SharedMemory.Allocate<uint>(Tile * Pitch);
        var row = (Grid.IdxY * Tile) + Group.IdxY;
        var pair = (Grid.IdxX * Tile / 2) + Group.IdxX;
        for (var i = 0; i < Unroll.Full(Tile / GroupRows); i++)
        {
            if (row + (i * GroupRows) < arguments.Rows && pair < arguments.Columns / 2)
                tile[((Group.IdxY + (i * GroupRows)) * Pitch) + Group.IdxX] = arguments.X[((long)(row + (i * GroupRows)) * (arguments.Columns / 2)) + pair];
        }

        Group.Barrier();
        var target = (Grid.IdxX * Tile) + Group.IdxY;
        var targetPair = (Grid.IdxY * Tile / 2) + Group.IdxX;
        for (var i = 0; i < Unroll.Full(Tile / GroupRows); i++)
        {
            if (target + (i * GroupRows) < arguments.Columns && targetPair < arguments.Rows / 2)
            {
                var column = Group.IdxY + (i * GroupRows);
                var shift = 16 * (column & 1);
                var first = tile[(2 * Group.IdxX * Pitch) + (column >> 1)] >> shift;
                var second = tile[(((2 * Group.IdxX) + 1) * Pitch) + (column >> 1)] >> shift;
                arguments.Y[((long)(target + (i * GroupRows)) * (arguments.Rows / 2)) + targetPair] = (first & 0xffff) | (second << 16);
            }
        }
    }

    private struct Arguments
    {
        public ArrayView<uint> X;
        public ArrayView<uint> Y;
        public int Rows;
        public int Columns;
    }
}
