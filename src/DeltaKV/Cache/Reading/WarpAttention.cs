using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Kernels.Gemm;

namespace DeltaKV.Cache.Reading;

/// <summary>Steps of attention that one warp does on a 16-token tile in shared memory <c>[16][HeadDim / 8 + 1]</c> of 16 bytes.</summary>
internal static class WarpAttention
{
    /// <summary>Up to 8 query rows as a left operand whose lower half is empty.</summary>
    /// <param name="query">The lane's query <c>[HeadDim / 2]</c>, pairs of bf16.</param>
    /// <param name="queries">Fragments <c>[HeadDim / 16]</c>.</param>
    internal static void LoadQueries<THead>(ArrayView<uint> query, ArrayView<UInt4> queries)
        where THead : struct, IHead
    {
        var source = query.SubView(Warp.LaneIdx & 3);
        for (var step = 0; step < Unroll.Full(THead.Dim / 16); step++)
            queries[step] = new UInt4(source[8 * step], 0, source[(8 * step) + 4], 0);
    }

    /// <summary>Scores of up to 16 query rows against the tile: adds into the fragments of tokens 0..7 and 8..15.</summary>
    /// <param name="queries">Fragments <c>[HeadDim / 16]</c> of the rows.</param>
    /// <param name="keys">The tile.</param>
    /// <param name="scores">Two fragments.</param>
    internal static void Scores<THead>(ArrayView<UInt4> queries, ArrayView<UInt4> keys, ArrayView<Float4> scores)
        where THead : struct, IHead
    {
        var first = PaddedTile.RightOperands((THead.Dim / 8) + 1);
        for (var step = 0; step < Unroll.Full(THead.Dim / 16); step++)
        {
            var b = LdMatrix.X4(ref keys[first + (2 * step)]);
            scores[0] = Mma.BFloat16(queries[step], new UInt2(b.X, b.Y), scores[0]);
            scores[1] = Mma.BFloat16(queries[step], new UInt2(b.Z, b.W), scores[1]);
        }
    }

    /// <summary>Adds <c>probabilities x values</c> of the tile into the output fragments <c>[HeadDim / 8]</c>.</summary>
    internal static void Accumulate<THead>(UInt4 probabilities, ArrayView<UInt4> values, ArrayView<Float4> output)
        where THead : struct, IHead
    {
        // Transposed, what loads as a left operand are two right ones: elements 0..7 and 8..15.
        var first = PaddedTile.LeftOperand((THead.Dim / 8) + 1);
        for (var step = 0; step < Unroll.Full(THead.Dim / 16); step++)
        {
            var b = LdMatrix.X4Transposed(ref values[first + (2 * step)]);
            output[2 * step] = Mma.BFloat16(probabilities, new UInt2(b.X, b.Y), output[2 * step]);
            output[(2 * step) + 1] = Mma.BFloat16(probabilities, new UInt2(b.Z, b.W), output[(2 * step) + 1]);
        }
    }

    /// <summary>Takes a tile into a warp's online softmax, base 2; the tile must have a token.</summary>
    /// <param name="queries">Fragments of 8 query rows.</param>
    /// <param name="keys">The tile's keys.</param>
    /// <param name="values">Its values.</param>
    /// <param name="position">The position of token <c>lane % 16</c>; negative: none, which weighs nothing.</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <param name="max">The lane's row's largest score so far.</param>
    /// <param name="sum">The lane's part of the row's sum of weights.</param>
    /// <param name="output">Output fragments <c>[HeadDim / 8]</c>.</param>
    internal static void Attend<THead>(
        ArrayView<UInt4> queries, ArrayView<UInt4> keys, ArrayView<UInt4> values, int position, float scale, ref float max, ref float sum, ArrayView<Float4> output)
        where THead : struct, IHead
    {
        var scores = LocalMemory.Allocate<Float4>(2);
        scores[0] = default;
        scores[1] = default;
        Scores<THead>(queries, keys, scores);
        var column = 2 * (Warp.LaneIdx & 3);
        var s0 = Masked(scores[0].X * scale, position, column);
        var s1 = Masked(scores[0].Y * scale, position, column + 1);
        var s2 = Masked(scores[1].X * scale, position, column + 8);
        var s3 = Masked(scores[1].Y * scale, position, column + 9);
        var larger = MathF.Max(max, Softmax.RowMax(MathF.Max(MathF.Max(s0, s1), MathF.Max(s2, s3))));
        var correction = FastMath.Ex2(max - larger);
        max = larger;
        s0 = FastMath.Ex2(s0 - max);
        s1 = FastMath.Ex2(s1 - max);
        s2 = FastMath.Ex2(s2 - max);
        s3 = FastMath.Ex2(s3 - max);
        sum = (sum * correction) + s0 + s1 + s2 + s3;
        for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
            output[i] = new Float4(output[i].X * correction, output[i].Y * correction, 0f, 0f);
        Accumulate<THead>(new UInt4(BFloat16x2.FromSingles(s0, s1).Bits, 0, BFloat16x2.FromSingles(s2, s3).Bits, 0), values, output);
    }

    private static float Masked(float score, int position, int column) =>
        Warp.Shuffle(position, column) < 0 ? float.NegativeInfinity : score;
}
