using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Basic;

/// <summary>Transpose: <c>y[c,r] = x[r,c]</c>.</summary>
/// <remarks>
/// Shapes: x <c>[rows, columns]</c>, y <c>[columns, rows]</c> fp32. A group moves a 32x32 tile through shared memory, so that both sides are
/// accessed by whole lines; the tile's rows are 33 long, so that a column lies in 32 banks. Moves 8 bytes per element: bound by memory.
/// Source: Ruetsch and Micikevicius, Optimizing matrix transpose in CUDA, 2009.
/// </remarks>
internal sealed class TransposeKernel(Accelerator accelerator)
{
    private const int Tile = 32;
    private const int GroupRows = 8;

    private readonly Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, int, int> transpose =
        accelerator.LoadKernel<ArrayView<float>, ArrayView<float>, int, int>(Kernel);

    /// <summary>Transposes <paramref name="x"/> into <paramref name="y"/>.</summary>
    internal void Launch(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> y, int rows, int columns)
    {
        var grid = new Index2D((columns + Tile - 1) / Tile, (rows + Tile - 1) / Tile);
        transpose(stream, new KernelConfig(grid, new Index2D(Tile, GroupRows)), x, y, rows, columns);
    }

    private static void Kernel(ArrayView<float> x, ArrayView<float> y, int rows, int columns)
    {
        var tile = SharedMemory.Allocate<float>(Tile * (Tile + 1));
        var column = (Grid.IdxX * Tile) + Group.IdxX;
        var row = (Grid.IdxY * Tile) + Group.IdxY;
        for (var i = 0; i < Unroll.Full(Tile / GroupRows); i++)
        {
            if (column < columns && row + (i * GroupRows) < rows)
                tile[((Group.IdxY + (i * GroupRows)) * (Tile + 1)) + Group.IdxX] = x[((long)(row + (i * GroupRows)) * columns) + column];
        }

        Group.Barrier();
        column = (Grid.IdxY * Tile) + Group.IdxX;
        row = (Grid.IdxX * Tile) + Group.IdxY;
        for (var i = 0; i < Unroll.Full(Tile / GroupRows); i++)
        {
            if (column < rows && row + (i * GroupRows) < columns)
                y[((long)(row + (i * GroupRows)) * rows) + column] = tile[(Group.IdxX * (Tile + 1)) + Group.IdxY + (i * GroupRows)];
        }
    }
}
