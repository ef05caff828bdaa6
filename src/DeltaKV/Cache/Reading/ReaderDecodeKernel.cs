using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>
/// Decode attention over whatever a reader reads: <c>o[r,h] = sum_p softmax_p(q[r,h] . k[p] / sqrt(d)) v[p]</c>, p over the row's token order.
/// </summary>
/// <remarks>
/// Shapes: qkv <c>[rows, (queryHeads + 2 keyHeads) d]</c> bf16, one row per sequence; output <c>[rows, queryHeads d]</c>. One group of four warps per (split of
/// the tokens, key head, row); a warp takes every n-th tile of 16 tokens for up to 8 query heads of the key head, with its own online softmax, so the
/// loop has no group barrier. A second kernel adds the splits. Lengths and bounds are read on the device: capturable as it is.
/// Moves what the reader moves, once per key head; two m16n8k16 per 16 x 8 elements of K and of V. With raw tokens bound by memory, with codes by the
/// reader's products. Source: Dao et al., Flash-Decoding, 2023.
/// </remarks>
internal sealed class ReaderDecodeKernel<TReader>(Accelerator accelerator) : IDecodeKernel<TReader>
    where TReader : unmanaged, IKvReader<TReader>
{
    internal const int Warps = 4;

    private readonly KernelHandle<DecodeArguments<TReader>> heads64 = new(accelerator, Kernel<Head64>);
    private readonly KernelHandle<DecodeArguments<TReader>> heads80 = new(accelerator, Kernel<Head80>);
    private readonly KernelHandle<DecodeArguments<TReader>> heads96 = new(accelerator, Kernel<Head96>);
    private readonly KernelHandle<DecodeArguments<TReader>> heads128 = new(accelerator, Kernel<Head128>);
    private readonly CombineSplitsKernel combine = new(accelerator);

    /// <inheritdoc/>
    public void Launch(AcceleratorStream stream, DecodeArguments<TReader> arguments, AttentionShape shape, int rowCount)
    {
        if (rowCount == 0)
            return;
        shape.Validate();
        arguments.QueryHeads = shape.QueryHeads;
        arguments.KeyHeads = shape.KeyHeads;
        arguments.QkvWords = shape.QkvWidth / 2;
        arguments.Scale = 1.4426950408889634f / MathF.Sqrt(shape.HeadDim);
        var parts = (shape.GroupSize + 7) / 8;
        var config = new KernelConfig(new Index3D(arguments.Splits, shape.KeyHeads * parts, rowCount), new Index3D(32 * Warps, 1, 1));
        (shape.HeadDim switch { 64 => heads64, 80 => heads80, 96 => heads96, _ => heads128 }).Launch(stream, config, arguments);
        if (arguments.Splits > 1)
            combine.Launch(stream, arguments.PartialOutput, arguments.PartialSoftmax, arguments.Output, arguments.LogSumExp, shape, arguments.Splits, rowCount);
    }

    private static void Kernel<TShape>(DecodeArguments<TReader> arguments)
        where TShape : struct, IHeadShape
    {
        var head = Grid.IdxY % arguments.KeyHeads;
        var groupSize = arguments.QueryHeads / arguments.KeyHeads;
        var firstQuery = Grid.IdxY / arguments.KeyHeads * 8;
        var queryCount = Math.Min(groupSize - firstQuery, 8);
        firstQuery += head * groupSize;
        var row = Grid.IdxZ;
        var length = arguments.Rows.Positions[row] + 1;
        var sequence = length > 0 ? arguments.Rows.Sequences[row] : 0;
        var limits = arguments.Order.Bounds[sequence];
        var selectedCount = arguments.Order.SelectedOf(sequence, head);
        var codedCount = selectedCount < 0 ? limits.CodedEnd - limits.CodedStart : selectedCount;
        var rawCount = length - limits.CodedEnd + limits.CodedStart;
        var codedTiles = (codedCount + 15) >> 4;
        var tiles = length > 0 ? codedTiles + ((rawCount + 15) >> 4) : 0;

        const int PerTile = 16;
        var shared = SharedMemory.Allocate<UInt4>(Warps * 2 * PerTile * ((TShape.HeadDim / 8) + 1));
        var warp = Group.IdxX >> 5;
        var keys = shared.SubView(warp * 2 * PerTile * ((TShape.HeadDim / 8) + 1));
        var values = keys.SubView(PerTile * ((TShape.HeadDim / 8) + 1));

        var rowOfLane = Warp.LaneIdx >> 2;
        var column = 2 * (Warp.LaneIdx & 3);
        var queries = LocalMemory.Allocate<UInt4>(TShape.HeadDim / 16);
        LoadQueries<TShape>(queries, arguments, row, firstQuery + Math.Min(rowOfLane, queryCount - 1));
        var output = LocalMemory.Allocate<Float4>(TShape.HeadDim / 8);
        for (var i = 0; i < Unroll.Full(TShape.HeadDim / 8); i++)
            output[i] = new Float4(0f, 0f, 0f, 0f);
        var scores = LocalMemory.Allocate<Float4>(2);
        var max = float.NegativeInfinity;
        var sum = 0f;

        for (var tile = (Grid.IdxX * Warps) + warp; tile < tiles; tile += arguments.Splits * Warps)
        {
            var isCoded = tile < codedTiles;
            var index = ((isCoded ? tile : tile - codedTiles) << 4) + (Warp.LaneIdx & 15);
            var position = arguments.Order.PositionAt(sequence, head, limits, selectedCount, codedCount, length, isCoded, index);
            // A loop, so that the reader's code is there once.
            for (var part = 0; part < 2; part++)
                TReader.Load<TShape>(arguments.Reader, sequence, head, part == 1, isCoded, position, keys.SubView(part * PerTile * ((TShape.HeadDim / 8) + 1)));
            Warp.Barrier();
            scores[0] = new Float4(0f, 0f, 0f, 0f);
            scores[1] = new Float4(0f, 0f, 0f, 0f);
            WarpAttention.Scores<TShape>(queries, keys, scores);

            var s0 = Masked(scores[0].X * arguments.Scale, position, column);
            var s1 = Masked(scores[0].Y * arguments.Scale, position, column + 1);
            var s2 = Masked(scores[1].X * arguments.Scale, position, column + 8);
            var s3 = Masked(scores[1].Y * arguments.Scale, position, column + 9);
            var newMax = MathF.Max(max, WarpAttention.RowMax(MathF.Max(MathF.Max(s0, s1), MathF.Max(s2, s3))));
            // A tile always has a token, so the largest score is finite.
            var correction = FastMath.Ex2(max - newMax);
            max = newMax;
            s0 = FastMath.Ex2(s0 - max);
            s1 = FastMath.Ex2(s1 - max);
            s2 = FastMath.Ex2(s2 - max);
            s3 = FastMath.Ex2(s3 - max);
            sum = (sum * correction) + s0 + s1 + s2 + s3;
            for (var i = 0; i < Unroll.Full(TShape.HeadDim / 8); i++)
                output[i] = new Float4(output[i].X * correction, output[i].Y * correction, 0f, 0f);
            var probabilities = new UInt4(BFloat16x2.FromSingles(s0, s1).Bits, 0, BFloat16x2.FromSingles(s2, s3).Bits, 0);
            WarpAttention.Accumulate<TShape>(probabilities, values, output);
            Warp.Barrier();
        }

        sum = WarpAttention.RowSum(sum);
        Finish<TShape>(arguments, shared.Cast<float>(), output, max, sum, row, firstQuery, queryCount);
    }

    private static void LoadQueries<TShape>(ArrayView<UInt4> queries, DecodeArguments<TReader> arguments, int row, int query)
        where TShape : struct, IHeadShape
    {
        var source = arguments.Qkv.SubView(((long)row * arguments.QkvWords) + (query * (TShape.HeadDim / 2)) + (Warp.LaneIdx & 3));
        for (var step = 0; step < Unroll.Full(TShape.HeadDim / 16); step++)
            queries[step] = new UInt4(source[8 * step], 0, source[(8 * step) + 4], 0);
    }

    private static float Masked(float score, int position, int column) =>
        Warp.Shuffle(position, column) < 0 ? float.NegativeInfinity : score;

    /// <summary>Adds the warps' results through shared memory and writes the group's.</summary>
    private static void Finish<TShape>(
        DecodeArguments<TReader> arguments, ArrayView<float> shared, ArrayView<Float4> output, float max, float sum, int row, int firstQuery, int queryCount)
        where TShape : struct, IHeadShape
    {
        // Each warp overwrites its own tiles with 8 rows of output, then 8 maxima and 8 sums.
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
        for (var pair = Group.IdxX; pair < queryCount * (TShape.HeadDim / 2); pair += 32 * Warps)
        {
            var query = pair / (TShape.HeadDim / 2);
            var element = 2 * (pair % (TShape.HeadDim / 2));
            var groupMax = float.NegativeInfinity;
            for (var warp = 0; warp < Unroll.Full(Warps); warp++)
                groupMax = MathF.Max(groupMax, shared[(warp * stride) + (8 * TShape.HeadDim) + query]);
            var total = 0f;
            var low = 0f;
            var high = 0f;
            for (var warp = 0; warp < Unroll.Full(Warps); warp++)
            {
                var warpMax = shared[(warp * stride) + (8 * TShape.HeadDim) + query];
                // A warp without tiles has -infinity and no weight.
                var weight = warpMax > float.NegativeInfinity ? FastMath.Ex2(warpMax - groupMax) : 0f;
                total += weight * shared[(warp * stride) + (8 * TShape.HeadDim) + 8 + query];
                low += weight * shared[(warp * stride) + (query * TShape.HeadDim) + element];
                high += weight * shared[(warp * stride) + (query * TShape.HeadDim) + element + 1];
            }

            var target = ((long)row * arguments.QueryHeads) + firstQuery + query;
            if (arguments.Splits == 1)
            {
                var inverse = total > 0f ? 1f / total : 0f;
                arguments.Output[((target * TShape.HeadDim) + element) >> 1] = BFloat16x2.FromSingles(low * inverse, high * inverse);
                if (element == 0 && arguments.LogSumExp.Length > 0)
                    arguments.LogSumExp[target] = (groupMax + FastMath.Lg2(total)) * 0.6931471805599453f;
            }
            else
            {
                var part = (target * arguments.Splits) + Grid.IdxX;
                arguments.PartialOutput[(part * TShape.HeadDim) + element] = low;
                arguments.PartialOutput[(part * TShape.HeadDim) + element + 1] = high;
                if (element == 0)
                    arguments.PartialSoftmax[part] = new Float2(groupMax, total);
            }
        }
    }
}
