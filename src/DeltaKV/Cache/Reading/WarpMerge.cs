using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>The end of a split of decode attention: the warps of a group lay their results into shared memory, and threads add them up.</summary>
/// <remarks>A warp's result: 8 rows of unnormalised output, one per query head, then their 8 largest scores, base 2, and their 8 sums of weights.</remarks>
internal static class WarpMerge
{
    /// <summary>Warps of a group whose results become those of a split.</summary>
    internal const int Warps = 4;

    /// <summary>Floats of a warp's result.</summary>
    internal static int Floats(int headDim) => (8 * headDim) + 16;

    /// <summary>Lays down the fragments of <see cref="WarpAttention"/>: a lane has the columns 2t, 2t + 1 of every eight of row g.</summary>
    internal static void Store<THead>(ArrayView<float> own, ArrayView<Float4> output, float max, float sum)
        where THead : struct, IHead
    {
        var row = Warp.LaneIdx >> 2;
        var column = 2 * (Warp.LaneIdx & 3);
        for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
        {
            own[(row * THead.Dim) + (8 * i) + column] = output[i].X;
            own[(row * THead.Dim) + (8 * i) + column + 1] = output[i].Y;
        }

        sum = Softmax.RowSum(sum);
        if (column == 0)
            StoreSoftmax(own, THead.Dim, row, max, sum);
    }

    /// <summary>Lays down largest scores and sums of weights where lane t has heads 2t and 2t + 1 and its share of their sums.</summary>
    internal static void StoreSoftmax(ArrayView<float> own, int headDim, Float2 largest, Float2 total)
    {
        total = Softmax.ColumnSum(total);
        if (Warp.LaneIdx >= 4)
            return;
        StoreSoftmax(own, headDim, 2 * Warp.LaneIdx, largest.X, total.X);
        StoreSoftmax(own, headDim, (2 * Warp.LaneIdx) + 1, largest.Y, total.Y);
    }

    /// <summary>Adds the warps' results and writes the group's: the output itself, or a split's share of it.</summary>
    internal static void Write<TReader, THead>(
        in DecodeArguments<TReader> arguments, ArrayView<float> shared, int stride, int row, int firstQuery, int queryCount)
        where TReader : unmanaged
        where THead : struct, IHead
    {
        Group.Barrier();
        for (var pair = Group.IdxX; pair < queryCount * (THead.Dim / 2); pair += 32 * Warps)
        {
            var query = pair / (THead.Dim / 2);
            var element = 2 * (pair % (THead.Dim / 2));
            var merged = Add(shared, Warps, stride, THead.Dim, query, element);
            var target = ((long)row * arguments.QueryHeads) + firstQuery + query;
            if (arguments.Splits == 1)
            {
                var inverse = merged.Total > 0f ? 1f / merged.Total : 0f;
                arguments.Output[((target * THead.Dim) + element) >> 1] = BFloat16x2.FromSingles(merged.Low * inverse, merged.High * inverse);
                if (element == 0 && arguments.LogSumExp.Length > 0)
                    arguments.LogSumExp[target] = Softmax.LogSumExp(merged.Largest, merged.Total);
            }
            else
            {
                var part = (target * arguments.Splits) + Grid.IdxX;
                arguments.PartialOutput[(part * THead.Dim) + element] = merged.Low;
                arguments.PartialOutput[(part * THead.Dim) + element + 1] = merged.High;
                if (element == 0)
                    arguments.PartialSoftmax[part] = new Float2(merged.Largest, merged.Total);
            }
        }
    }

    private static void StoreSoftmax(ArrayView<float> own, int headDim, int row, float max, float sum)
    {
        own[(8 * headDim) + row] = max;
        own[(8 * headDim) + 8 + row] = sum;
    }

    /// <summary>Adds two neighbouring elements of a row over the warps, whose results lie that many floats apart; the number of warps is a constant.</summary>
    internal static Sum Add(ArrayView<float> shared, int warps, int stride, int headDim, int row, int element)
    {
        var largest = float.NegativeInfinity;
        for (var warp = 0; warp < Unroll.Full(warps); warp++)
            largest = MathF.Max(largest, shared[(warp * stride) + (8 * headDim) + row]);
        var sum = new Sum { Largest = largest };
        for (var warp = 0; warp < Unroll.Full(warps); warp++)
        {
            var own = shared.SubView(warp * stride);
            // A warp without tokens has -infinity and no weight.
            var max = own[(8 * headDim) + row];
            var weight = max > float.NegativeInfinity ? FastMath.Ex2(max - largest) : 0f;
            sum.Total = FastMath.Fma(weight, own[(8 * headDim) + 8 + row], sum.Total);
            sum.Low = FastMath.Fma(weight, own[(row * headDim) + element], sum.Low);
            sum.High = FastMath.Fma(weight, own[(row * headDim) + element + 1], sum.High);
        }

        return sum;
    }

    /// <summary>What the warps of a group found together.</summary>
    internal struct Sum
    {
        /// <summary>The largest score.</summary>
        public float Largest;

        /// <summary>The sum of weights relative to it.</summary>
        public float Total;

        /// <summary>The element's weighted sum.</summary>
        public float Low;

        /// <summary>That of the next one.</summary>
        public float High;
    }
}
