using DeltaKV.Gpu;

namespace DeltaKV.Cache.Reading;

/// <summary>Steps of attention that one warp does on a 16-token tile in shared memory <c>[16][HeadDim / 8 + 1]</c> of 16 bytes.</summary>
internal static class WarpAttention
{
    /// <summary>Scores of up to 16 query rows against the tile: adds into the fragments of tokens 0..7 and 8..15.</summary>
    /// <param name="queries">Fragments <c>[HeadDim / 16]</c> of the rows.</param>
    /// <param name="keys">The tile.</param>
    /// <param name="scores">Two fragments.</param>
    internal static void Scores<TShape>(ArrayView<UInt4> queries, ArrayView<UInt4> keys, ArrayView<Float4> scores)
        where TShape : struct, IHeadShape
    {
        // Matrices of ldmatrix: tokens 0..7 (elements 0..7, 8..15), tokens 8..15 (the same).
        var matrix = Warp.LaneIdx >> 3;
        var row = ((matrix >> 1) * 8) + (Warp.LaneIdx & 7);
        var first = (row * ((TShape.HeadDim / 8) + 1)) + (matrix & 1);
        for (var step = 0; step < Unroll.Full(TShape.HeadDim / 16); step++)
        {
            var b = LdMatrix.X4(ref keys[first + (2 * step)]);
            scores[0] = Mma.BFloat16(queries[step], new UInt2(b.X, b.Y), scores[0]);
            scores[1] = Mma.BFloat16(queries[step], new UInt2(b.Z, b.W), scores[1]);
        }
    }

    /// <summary>Adds <c>probabilities x values</c> of the tile into the output fragments <c>[HeadDim / 8]</c>.</summary>
    internal static void Accumulate<TShape>(UInt4 probabilities, ArrayView<UInt4> values, ArrayView<Float4> output)
        where TShape : struct, IHeadShape
    {
        // Transposed: elements 0..7 (tokens 0..7, 8..15), elements 8..15 (the same).
        var matrix = Warp.LaneIdx >> 3;
        var row = ((matrix & 1) * 8) + (Warp.LaneIdx & 7);
        var first = (row * ((TShape.HeadDim / 8) + 1)) + (matrix >> 1);
        for (var step = 0; step < Unroll.Full(TShape.HeadDim / 16); step++)
        {
            var b = LdMatrix.X4Transposed(ref values[first + (2 * step)]);
            output[2 * step] = Mma.BFloat16(probabilities, new UInt2(b.X, b.Y), output[2 * step]);
            output[(2 * step) + 1] = Mma.BFloat16(probabilities, new UInt2(b.Z, b.W), output[(2 * step) + 1]);
        }
    }

    /// <summary>The largest of four lanes that share a row.</summary>
    internal static float RowMax(float value)
    {
        value = MathF.Max(value, Warp.ShuffleXor(value, 1));
        return MathF.Max(value, Warp.ShuffleXor(value, 2));
    }

    /// <summary>The sum over four lanes that share a row.</summary>
    internal static float RowSum(float value)
    {
        value += Warp.ShuffleXor(value, 1);
        return value + Warp.ShuffleXor(value, 2);
    }
}
