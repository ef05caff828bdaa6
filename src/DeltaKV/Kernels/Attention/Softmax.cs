using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>The online softmax of attention, base 2, where scores lie as fragments of m16n8: lane (g, t) holds rows g and g + 8, columns 2t and 2t + 1.</summary>
/// <remarks>
/// Queries are rows in prompts and columns in decode steps; a pair of numbers is one per row or one per column of the lane. A scale on scores contains <see cref="Log2E"/>.
/// Source: Milakov and Gimelshein, 2018.
/// </remarks>
internal static class Softmax
{
    /// <summary>What turns an exponent of e into one of 2.</summary>
    internal const float Log2E = 1.4426950408889634f;

    /// <summary>The natural logarithm of a denominator: of <paramref name="total"/> times 2 to the <paramref name="largest"/>.</summary>
    internal static float LogSumExp(float largest, float total) => (largest + FastMath.Lg2(total)) * 0.6931471805599453f;

    /// <summary>Takes in scores whose rows are queries and which become weights; returns what earlier sums are multiplied by.</summary>
    /// <param name="scores">Fragments of the same rows.</param>
    /// <param name="count">Their number, a constant.</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <param name="largest">The rows' largest scores.</param>
    /// <param name="total">This lane's share of the rows' sums of weights.</param>
    internal static Float2 TakeRows(ArrayView<Float4> scores, int count, float scale, ref Float2 largest, ref Float2 total)
    {
        var max = new Float2(float.NegativeInfinity, float.NegativeInfinity);
        for (var j = 0; j < Unroll.Full(count); j++)
            max = new Float2(MathF.Max(max.X, MathF.Max(scores[j].X, scores[j].Y)), MathF.Max(max.Y, MathF.Max(scores[j].Z, scores[j].W)));
        max = new Float2(MathF.Max(largest.X, RowMax(max.X) * scale), MathF.Max(largest.Y, RowMax(max.Y) * scale));
        var correction = new Float2(FastMath.Ex2(largest.X - max.X), FastMath.Ex2(largest.Y - max.Y));
        largest = max;
        var sum = default(Float2);
        for (var j = 0; j < Unroll.Full(count); j++)
        {
            var score = scores[j];
            score = new Float4(
                FastMath.Ex2(FastMath.Fma(score.X, scale, -max.X)),
                FastMath.Ex2(FastMath.Fma(score.Y, scale, -max.X)),
                FastMath.Ex2(FastMath.Fma(score.Z, scale, -max.Y)),
                FastMath.Ex2(FastMath.Fma(score.W, scale, -max.Y)));
            sum = new Float2(sum.X + (score.X + score.Y), sum.Y + (score.Z + score.W));
            scores[j] = score;
        }

        total = new Float2(FastMath.Fma(total.X, correction.X, sum.X), FastMath.Fma(total.Y, correction.Y, sum.Y));
        return correction;
    }

    /// <summary>Takes in scores whose columns are queries and which become weights; returns what earlier sums are multiplied by.</summary>
    /// <param name="score">A fragment.</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <param name="largest">The columns' largest scores.</param>
    /// <param name="total">This lane's share of the columns' sums of weights.</param>
    internal static Float2 TakeColumns(ref Float4 score, float scale, ref Float2 largest, ref Float2 total)
    {
        var max = ColumnMax(new Float2(MathF.Max(score.X, score.Z), MathF.Max(score.Y, score.W)));
        max = new Float2(MathF.Max(largest.X, max.X * scale), MathF.Max(largest.Y, max.Y * scale));
        var correction = new Float2(FastMath.Ex2(largest.X - max.X), FastMath.Ex2(largest.Y - max.Y));
        largest = max;
        score = ColumnWeights(score, scale, max);
        total = new Float2(FastMath.Fma(total.X, correction.X, score.X + score.Z), FastMath.Fma(total.Y, correction.Y, score.Y + score.W));
        return correction;
    }

    /// <summary>Weights of scores whose columns are queries.</summary>
    internal static Float4 ColumnWeights(Float4 score, float scale, Float2 largest) => new(
        FastMath.Ex2(FastMath.Fma(score.X, scale, -largest.X)),
        FastMath.Ex2(FastMath.Fma(score.Y, scale, -largest.Y)),
        FastMath.Ex2(FastMath.Fma(score.Z, scale, -largest.X)),
        FastMath.Ex2(FastMath.Fma(score.W, scale, -largest.Y)));

    /// <summary>A fragment times a factor per row.</summary>
    internal static Float4 ScaleRows(Float4 sum, Float2 factors) => new(sum.X * factors.X, sum.Y * factors.X, sum.Z * factors.Y, sum.W * factors.Y);

    /// <summary>A fragment times a factor per column.</summary>
    internal static Float4 ScaleColumns(Float4 sum, Float2 factors) => new(sum.X * factors.X, sum.Y * factors.Y, sum.Z * factors.X, sum.W * factors.Y);

    /// <summary>The largest of the four lanes that share a row.</summary>
    internal static float RowMax(float value)
    {
        value = MathF.Max(value, Warp.ShuffleXor(value, 1));
        return MathF.Max(value, Warp.ShuffleXor(value, 2));
    }

    /// <summary>The sum over the four lanes that share a row.</summary>
    internal static float RowSum(float value)
    {
        value += Warp.ShuffleXor(value, 1);
        return value + Warp.ShuffleXor(value, 2);
    }

    /// <summary>The largest of the eight lanes that share two columns.</summary>
    internal static Float2 ColumnMax(Float2 value)
    {
        for (var i = 0; i < Unroll.Full(3); i++)
            value = new Float2(MathF.Max(value.X, Warp.ShuffleXor(value.X, 4 << i)), MathF.Max(value.Y, Warp.ShuffleXor(value.Y, 4 << i)));
        return value;
    }

    /// <summary>The sums over the eight lanes that share two columns.</summary>
    internal static Float2 ColumnSum(Float2 value)
    {
        for (var i = 0; i < Unroll.Full(3); i++)
            value = new Float2(value.X + Warp.ShuffleXor(value.X, 4 << i), value.Y + Warp.ShuffleXor(value.Y, 4 << i));
        return value;
    }
}
