using DeltaKV.Gpu;
using DeltaKV.Kernels;

namespace DeltaKV.Compression.DeltaKv.Training;

/// <summary>Sums, the same on every run: of a vector, of its squares, and of the rows of a matrix of halves.</summary>
/// <remarks>A vector: <see cref="Groups"/> groups stride over it, one group adds their sums in order. A row: one warp. Bound by memory.</remarks>
internal sealed class SumKernels(Accelerator accelerator)
{
    /// <summary>Partial sums of a vector.</summary>
    internal const int Groups = 128;

    private const int GroupSize = 256;

    private readonly KernelHandle<Arguments> partial = new(accelerator, Partial);
    private readonly KernelHandle<Arguments> final = new(accelerator, Final);
    private readonly KernelHandle<Arguments> rows = new(accelerator, Rows);

    /// <summary>The sum, or the sum of squares, into the first element of <paramref name="result"/>; <paramref name="scratch"/> has <see cref="Groups"/> elements.</summary>
    internal void Launch(AcceleratorStream stream, ArrayView<float> x, long count, bool squares, ArrayView<float> scratch, ArrayView<float> result)
    {
        partial.Launch(stream, new KernelConfig(Groups, GroupSize), new Arguments { X = x, Count = count, Squares = squares ? 1 : 0, Result = scratch });
        final.Launch(stream, new KernelConfig(1, GroupSize), new Arguments { X = scratch, Count = Groups, Result = result });
    }

    /// <summary>Sums of the rows of x <c>[rows, columns]</c>, pairs of halves.</summary>
    internal void LaunchRows(AcceleratorStream stream, ArrayView<uint> x, ArrayView<float> result, int rowCount, int columns) => rows.Launch(
        stream, new KernelConfig((rowCount + 7) / 8, GroupSize), new Arguments { Halves = x, Count = columns / 2, RowCount = rowCount, Result = result });

    private static void Partial(Arguments arguments)
    {
        var sum = 0f;
        for (var i = ((long)Grid.IdxX * GroupSize) + Group.IdxX; i < arguments.Count; i += Groups * GroupSize)
        {
            var value = arguments.X[i];
            sum += arguments.Squares != 0 ? value * value : value;
        }

        sum = GroupReduce.Sum(sum);
        if (Group.IdxX == 0)
            arguments.Result[Grid.IdxX] = sum;
    }

    private static void Final(Arguments arguments)
    {
        var sum = GroupReduce.Sum(Group.IdxX < Groups ? arguments.X[Group.IdxX] : 0f);
        if (Group.IdxX == 0)
            arguments.Result[0] = sum;
    }

    private static void Rows(Arguments arguments)
    {
        var row = (Grid.IdxX * 8) + (Group.IdxX >> 5);
        if (row >= arguments.RowCount)
            return;
        var sum = 0f;
        for (var pair = (long)Warp.LaneIdx; pair < arguments.Count; pair += 32)
        {
            var value = new Half2(arguments.Halves[(row * arguments.Count) + pair]);
            sum += value.Low + value.High;
        }

        sum = WarpReduce.Sum(sum);
        if (Warp.IsFirstLane)
            arguments.Result[row] = sum;
    }

    private struct Arguments
    {
        public ArrayView<float> X;
        public ArrayView<uint> Halves;
        public ArrayView<float> Result;
        public long Count;
        public int RowCount;
        public int Squares;
    }
}
