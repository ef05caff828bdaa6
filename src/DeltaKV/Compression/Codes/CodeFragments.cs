using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes;

/// <summary>
/// The up and down matrices as B fragments of m16n8k16 (lane (g, t) holds column g, rows 2t, 2t+1 and 2t+8, 2t+9), two column blocks per 16 bytes, so that a
/// warp reads 512 neighbouring bytes. Rows of up are in the order in which code words unpack; columns of down in the order in which they pack.
/// </summary>
internal static class CodeFragments
{
    private const float LargestHalf = 65504f;

    /// <summary>Column pairs of a pass over a head, P.</summary>
    /// <remarks>
    /// Reconstruction multiplies codes by columns of the up matrix, eight at a time. Column c = 2t + b of pair j of a pass is element
    /// <c>pass * 8P + t * 2P + 2j + b</c> of the lower half of the head, its RoPE partner the same of the upper half: so both halves of a rotation, and
    /// 2P neighbouring elements (16 bytes where P = 4), lie in one lane.
    /// </remarks>
    internal static int PairsPerPass(int headDim) => headDim switch { 80 => 1, 96 => 2, _ => 4 };

    /// <summary>Adds <c>[pass][step][pair][lane]</c> of a part's columns.</summary>
    internal static void AddUp(List<UInt4> fragments, CodeGroup group, int start, int headDim)
    {
        var pairs = PairsPerPass(headDim);
        var order = UnpackOrder(group);
        for (var pass = 0; pass < headDim / (16 * pairs); pass++)
        {
            for (var step = 0; step < order.Length / 16; step++)
            {
                for (var j = 0; j < pairs; j++)
                {
                    for (var lane = 0; lane < 32; lane++)
                    {
                        var (column, row) = (lane / 4, (step * 16) + (2 * (lane % 4)));
                        var element = start + (pass * 8 * pairs) + (column / 2 * 2 * pairs) + (2 * j) + (column % 2);
                        fragments.Add(new UInt4(
                            Pair(row, element), Pair(row + 8, element), Pair(row, element + (headDim / 2)), Pair(row + 8, element + (headDim / 2))));
                    }
                }
            }
        }

        uint Pair(int row, int element) => Pack(
            group.Up[(order[row] * group.Length) + element], group.Up[(order[row + 1] * group.Length) + element]);
    }

    /// <summary>Adds <c>[step][column pair][lane]</c> of a chunk (a pair of chunks where 16 bits wide) whose first dimension is given.</summary>
    internal static void AddDown(List<UInt4> fragments, CodeGroup group, ChunkWidth width, int dimension)
    {
        var perWord = CodeGroup.DimensionsOf(width) / 4;
        var columnPairs = width == ChunkWidth.Bits16 ? 1 : perWord / 4;
        for (var step = 0; step < group.Inputs / 16; step++)
        {
            for (var pair = 0; pair < columnPairs; pair++)
            {
                for (var lane = 0; lane < 32; lane++)
                {
                    var row = (step * 16) + (2 * (lane % 4));
                    var first = dimension + Column(2 * pair, lane / 4);
                    var second = dimension + Column((2 * pair) + 1, lane / 4);
                    fragments.Add(new UInt4(Pair(first, row), Pair(first, row + 8), Pair(second, row), Pair(second, row + 8)));
                }
            }
        }

        // 16 bits: block n is chunk n. Integers: a lane's columns over all blocks are the word that it stores.
        int Column(int block, int column) => width == ChunkWidth.Bits16
            ? (8 * block) + column
            : (perWord * (column / 2)) + (2 * block) + (column % 2);

        uint Pair(int of, int row) => Pack(group.Down[(of * group.Inputs) + row], group.Down[(of * group.Inputs) + row + 1]);
    }

    /// <summary>The dimension that row k of every 16-row step is.</summary>
    private static int[] UnpackOrder(CodeGroup group)
    {
        var order = new List<int>();
        var dimension = 0;
        foreach (var width in group.Chunks)
        {
            var perWord = CodeGroup.DimensionsOf(width) / 4;
            if (width == ChunkWidth.Bits16)
                order.AddRange(Enumerable.Range(dimension, 8));
            for (var step = 0; width != ChunkWidth.Bits16 && step < perWord / 4; step++)
            {
                for (var k = 0; k < 16; k++)
                    order.Add(dimension + (perWord * (k % 8 / 2)) + (4 * step) + (2 * (k / 8)) + (k % 2));
            }

            dimension += CodeGroup.DimensionsOf(width);
        }

        return [.. order];
    }

    /// <summary>A matrix in eights of halves; rows are multiples of 8.</summary>
    internal static UInt4[] Eights(float[] values)
    {
        var result = new UInt4[values.Length / 8];
        for (var i = 0; i < result.Length; i++)
            result[i] = new UInt4(Pair(8 * i), Pair((8 * i) + 2), Pair((8 * i) + 4), Pair((8 * i) + 6));
        return result;

        uint Pair(int at) => Pack(values[at], values[at + 1]);
    }

    /// <summary>Rows become columns.</summary>
    internal static float[] Transposed(float[] values, int rows, int columns)
    {
        var result = new float[values.Length];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                result[(column * rows) + row] = values[(row * columns) + column];
        }

        return result;
    }

    /// <summary>Two halves of a matrix; what a half cannot hold is refused.</summary>
    internal static uint Pack(float low, float high)
    {
        if (MathF.Abs(low) > LargestHalf || MathF.Abs(high) > LargestHalf || float.IsNaN(low + high))
            throw new ArgumentException($"A codec matrix holds {low} or {high}, which a half cannot store; scale the dimension.");
        return Half2.FromSingles(low, high).Bits;
    }
}
