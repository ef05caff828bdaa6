using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>The group of <see cref="LatentDecodeKernel"/> that attends to a head's raw tokens: sinks and window, some hundred.</summary>
internal static class RawSplit
{
    private const int Warps = LatentDecodeKernel.Warps;

    /// <summary>16-byte pieces of dynamic shared memory that it takes.</summary>
    internal static int Pieces(int headDim) => Warps * 2 * 16 * ((headDim / 8) + 1);

    internal static void Attend<TShape>(in LatentArguments arguments, int row, int head, int firstQuery, int queryCount)
        where TShape : struct, IHeadShape
    {
        var warp = Group.IdxX >> 5;
        var shared = SharedMemory.GetDynamic<UInt4>();
        var keys = shared.SubView(warp * 2 * 16 * ((TShape.HeadDim / 8) + 1), 16 * ((TShape.HeadDim / 8) + 1));
        var values = shared.SubView(((warp * 2) + 1) * 16 * ((TShape.HeadDim / 8) + 1), 16 * ((TShape.HeadDim / 8) + 1));
        var length = arguments.Rows.Positions[row] + 1;
        var sequence = length > 0 ? arguments.Rows.Sequences[row] : 0;
        var limits = arguments.Order.Bounds[sequence];
        var tiles = length > 0 ? (length - limits.CodedEnd + limits.CodedStart + 15) >> 4 : 0;

        var query = firstQuery + Math.Min(Warp.LaneIdx >> 2, queryCount - 1);
        var stride = (arguments.QueryHeads + (2 * arguments.KeyHeads)) * (TShape.HeadDim / 8);
        var source = arguments.Qkv.SubView(((long)row * stride) + (query * (TShape.HeadDim / 8))).Cast<uint>();
        var queries = LocalMemory.Allocate<UInt4>(TShape.HeadDim / 16);
        for (var step = 0; step < Unroll.Full(TShape.HeadDim / 16); step++)
            queries[step] = new UInt4(source[(8 * step) + (Warp.LaneIdx & 3)], 0, source[(8 * step) + 4 + (Warp.LaneIdx & 3)], 0);
        var output = LocalMemory.Allocate<Float4>(TShape.HeadDim / 8);
        for (var i = 0; i < Unroll.Full(TShape.HeadDim / 8); i++)
            output[i] = default;
        var scores = LocalMemory.Allocate<Float4>(2);
        var max = float.NegativeInfinity;
        var sum = 0f;
        var column = 2 * (Warp.LaneIdx & 3);
        for (var tile = warp; tile < tiles; tile += Warps)
        {
            var position = arguments.Order.PositionAt(sequence, head, limits, 0, 0, length, false, (tile << 4) + (Warp.LaneIdx & 15));
            RawTile.Load<TShape>(arguments.Raw, arguments.KeyHeads, sequence, head, false, position, keys);
            RawTile.Load<TShape>(arguments.Raw, arguments.KeyHeads, sequence, head, true, position, values);
            Warp.Barrier();
            scores[0] = default;
            scores[1] = default;
            WarpAttention.Scores<TShape>(queries, keys, scores);
            var s0 = Masked(scores[0].X * arguments.Scale, position, column);
            var s1 = Masked(scores[0].Y * arguments.Scale, position, column + 1);
            var s2 = Masked(scores[1].X * arguments.Scale, position, column + 8);
            var s3 = Masked(scores[1].Y * arguments.Scale, position, column + 9);
            var larger = MathF.Max(max, WarpAttention.RowMax(MathF.Max(MathF.Max(s0, s1), MathF.Max(s2, s3))));
            var correction = FastMath.Ex2(max - larger);
            max = larger;
            s0 = FastMath.Ex2(s0 - max);
            s1 = FastMath.Ex2(s1 - max);
            s2 = FastMath.Ex2(s2 - max);
            s3 = FastMath.Ex2(s3 - max);
            sum = (sum * correction) + s0 + s1 + s2 + s3;
            for (var i = 0; i < Unroll.Full(TShape.HeadDim / 8); i++)
                output[i] = new Float4(output[i].X * correction, output[i].Y * correction, 0f, 0f);
            WarpAttention.Accumulate<TShape>(
                new UInt4(BFloat16x2.FromSingles(s0, s1).Bits, 0, BFloat16x2.FromSingles(s2, s3).Bits, 0), values, output);
            Warp.Barrier();
        }

        GridDependency.LaunchDependents();
        Finish<TShape>(arguments, shared.Cast<float>(), output, max, WarpAttention.RowSum(sum), ((long)row * arguments.QueryHeads) + firstQuery, queryCount);
    }

    private static float Masked(float score, int position, int column) =>
        Warp.Shuffle(position, column) < 0 ? float.NegativeInfinity : score;

    /// <summary>Adds the warps' results through shared memory: each overwrites its own tiles with 8 rows of output, 8 maxima and 8 sums.</summary>
    private static void Finish<TShape>(
        in LatentArguments arguments, ArrayView<float> shared, ArrayView<Float4> output, float max, float sum, long target, int queryCount)
        where TShape : struct, IHeadShape
    {
        var stride = 2 * 16 * ((TShape.HeadDim / 8) + 1) * 4;
        var own = shared.SubView((Group.IdxX >> 5) * stride, stride);
        var rowOfLane = Warp.LaneIdx >> 2;
        var column = 2 * (Warp.LaneIdx & 3);
        for (var i = 0; i < Unroll.Full(TShape.HeadDim / 8); i++)
        {
            own[(rowOfLane * TShape.HeadDim) + (8 * i) + column] = output[i].X;
            own[(rowOfLane * TShape.HeadDim) + (8 * i) + column + 1] = output[i].Y;
        }

        if (column == 0)
        {
            own[(8 * TShape.HeadDim) + rowOfLane] = max;
            own[(8 * TShape.HeadDim) + 8 + rowOfLane] = sum;
        }

        Group.Barrier();
        for (var i = Group.IdxX; i < queryCount * TShape.HeadDim; i += 32 * Warps)
        {
            var query = i / TShape.HeadDim;
            var element = i % TShape.HeadDim;
            var largest = float.NegativeInfinity;
            for (var warp = 0; warp < Unroll.Full(Warps); warp++)
                largest = MathF.Max(largest, shared[(warp * stride) + (8 * TShape.HeadDim) + query]);
            var total = 0f;
            var value = 0f;
            for (var warp = 0; warp < Unroll.Full(Warps); warp++)
            {
                var of = shared[(warp * stride) + (8 * TShape.HeadDim) + query];
                // A warp without tiles has -infinity and no weight.
                var weight = of > float.NegativeInfinity ? FastMath.Ex2(of - largest) : 0f;
                total += weight * shared[(warp * stride) + (8 * TShape.HeadDim) + 8 + query];
                value += weight * shared[(warp * stride) + i];
            }

            arguments.PartialRaw[((target + query) * TShape.HeadDim) + element] = value;
            if (element == 0)
                arguments.PartialSoftmax[((target + query) * (arguments.Splits + 1)) + arguments.Splits] = new Float2(largest, total);
        }
    }
}
