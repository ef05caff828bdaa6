using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Selection;

/// <summary>What several queries of one sequence think together: <c>score[0,h,p] = max_r score[r,h,p]</c>, written over the first row.</summary>
/// <remarks>Shapes: scores <c>[rows, heads, stride]</c>, bits of floats that are not negative or integers. A thread per token. Reads <c>4 * rows</c> bytes per token and head, once per observation layer and prompt chunk: bound by memory.</remarks>
internal sealed class LargestScoresKernel(Accelerator accelerator)
{
    private const int Threads = 256;

    private readonly KernelHandle<Arguments> kernel = new(accelerator, Kernel);

    internal void Launch(AcceleratorStream stream, TokenRows rows, ArrayView<ReadBounds> bounds, ArrayView<float> scores, int stride, int heads, int rowCount) => kernel.Launch(
        stream,
        new KernelConfig(new Index2D((stride + Threads - 1) / Threads, heads), new Index2D(Threads, 1)),
        new Arguments { Rows = rows, Bounds = bounds, Scores = scores.Cast<uint>(), Stride = stride, RowCount = rowCount });

    private static void Kernel(Arguments arguments)
    {
        var limits = arguments.Bounds[arguments.Rows.Sequences[0]];
        var token = (Grid.IdxX * Threads) + Group.IdxX;
        if (token >= limits.CodedEnd - limits.CodedStart)
            return;
        var first = ((long)Grid.IdxY * arguments.Stride) + token;
        var largest = arguments.Scores[first];
        for (var row = 1; row < arguments.RowCount; row++)
            largest = Math.Max(largest, arguments.Scores[first + ((long)row * Grid.DimY * arguments.Stride)]);
        arguments.Scores[first] = largest;
    }

    private struct Arguments
    {
        public TokenRows Rows;
        public ArrayView<ReadBounds> Bounds;
        public ArrayView<uint> Scores;
        public int Stride;
        public int RowCount;
    }
}
