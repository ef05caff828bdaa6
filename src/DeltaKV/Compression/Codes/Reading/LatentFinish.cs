using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>Adds the warps' sums of a split and writes them.</summary>
internal static class LatentFinish
{
    /// <summary>Floats that it takes of the group's dynamic shared memory.</summary>
    internal static int Floats(int stepsPerWarp, bool hasReferences) => LatentDecodeKernel.Warps * 8 * Math.Max(stepsPerWarp * 16, hasReferences ? 64 : 0);

    /// <summary>Called by the whole group once nobody needs the tile or the tables any more.</summary>
    internal static void Write<TSteps>(
        in LatentArguments arguments,
        LatentPlan plan,
        int row,
        int firstQuery,
        int queryCount,
        int shareShift,
        ArrayView<Float4> sums,
        Float2 largest,
        Float2 total,
        ArrayView<Float2> totals,
        ArrayView<float> merged)
        where TSteps : struct, LatentDecodeKernel.IValueSteps
    {
        var lane = Warp.LaneIdx;
        var warp = Group.IdxX >> 5;
        var dimension = (2 * ((lane >> 2) & 3)) + (8 * (lane >> 4));
        for (var u = 0; u < Unroll.Full(TSteps.PerWarp); u++)
        {
            // [warp][u][head][dimension]
            var own = merged.SubView((((warp * TSteps.PerWarp) + u) * 8 * 16) + (2 * (lane & 3) * 16) + dimension);
            own[0] = sums[u].X;
            own[1] = sums[u].Z;
            own[16] = sums[u].Y;
            own[17] = sums[u].W;
        }

        total = Softmax.ColumnSum(total);
        if (lane < 4)
            totals[(warp * 4) + lane] = total;
        Group.Barrier();

        var target = ((long)row * arguments.QueryHeads) + firstQuery;
        if (warp == 0 && lane < 4)
        {
            var sum = default(Float2);
            for (var w = 0; w < Unroll.Full(LatentDecodeKernel.Warps); w++)
                sum = new Float2(sum.X + totals[(w * 4) + lane].X, sum.Y + totals[(w * 4) + lane].Y);
            if (2 * lane < queryCount)
                arguments.PartialSoftmax[((target + (2 * lane)) * (arguments.Splits + 1)) + Grid.IdxX] = new Float2(largest.X, sum.X);
            if ((2 * lane) + 1 < queryCount)
                arguments.PartialSoftmax[((target + (2 * lane) + 1) * (arguments.Splits + 1)) + Grid.IdxX] = new Float2(largest.Y, sum.Y);
        }

        var dimensions = 16 * plan.ValueSteps;
        var warps = LatentDecodeKernel.Warps >> shareShift;
        for (var i = Group.IdxX; i < queryCount * dimensions; i += Group.DimX)
        {
            var query = i / dimensions;
            var of = i - (query * dimensions);
            var step = of >> 4;
            var sum = 0f;
            for (var w = step & (warps - 1); w < LatentDecodeKernel.Warps; w += warps)
                sum += merged[(((w * TSteps.PerWarp) + (step >> 3)) * 8 * 16) + (query * 16) + (of & 15)];
            arguments.PartialLatent[((((target + query) * arguments.Splits) + Grid.IdxX) * arguments.LatentStride) + of] = sum;
        }
    }

    /// <summary>Adds and writes the warps' sums of references' values.</summary>
    internal static void WriteReferences<THead>(
        in LatentArguments arguments, int row, int firstQuery, int queryCount, ArrayView<Float4> sums, ArrayView<float> merged)
        where THead : struct, IHead
    {
        // [warp][head][64 elements]
        var own = merged.SubView(((Group.IdxX >> 5) * 8 * 64) + (2 * (Warp.LaneIdx & 3) * 64) + (8 * (Warp.LaneIdx >> 2)));
        for (var i = 0; i < Unroll.Full(4); i++)
        {
            own[2 * i] = sums[i].X;
            own[(2 * i) + 1] = sums[i].Z;
            own[64 + (2 * i)] = sums[i].Y;
            own[64 + (2 * i) + 1] = sums[i].W;
        }

        Group.Barrier();
        var target = ((long)row * arguments.QueryHeads) + firstQuery;
        for (var i = Group.IdxX; i < queryCount * THead.Dim; i += Group.DimX)
        {
            var query = i / THead.Dim;
            var element = i % THead.Dim;
            var sum = 0f;
            for (var w = element / 64; w < LatentDecodeKernel.Warps; w += THead.Dim / 64)
                sum += merged[(w * 8 * 64) + (query * 64) + (element & 63)];
            arguments.PartialReferences[((((target + query) * arguments.Splits) + Grid.IdxX) * THead.Dim) + element] = sum;
        }
    }
}
