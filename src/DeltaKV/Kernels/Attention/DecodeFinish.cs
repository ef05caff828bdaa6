using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>The last steps of <see cref="DecodeAttentionKernel"/>: the four warps of a split become one result, the splits of a head become the output.</summary>
internal static class DecodeFinish
{
    /// <summary>The output of a padding row.</summary>
    internal static void WriteZeros<THead>(in DecodeArguments arguments, int row, int keyHead)
        where THead : struct, IHead
    {
        var elements = arguments.GroupSize * THead.Dim;
        var output = arguments.Output.SubView((((long)row * arguments.KeyHeads) + keyHead) * elements);
        for (var i = Group.IdxX; i < elements; i += Group.DimX)
            output[i] = default;
    }

    /// <summary>Merges the warps through shared memory; writes the output itself if there is one split, else the split's share.</summary>
    internal static void Write<THead, TSets, TRange>(
        in DecodeArguments arguments,
        int row,
        int keyHead,
        ArrayView<Float4> sums,
        ArrayView<Float2> largest,
        ArrayView<Float2> total)
        where THead : struct, IHead
        where TSets : struct, DecodeAttentionKernel.IHeadSets
        where TRange : struct, IKeyRange
    {
        var scales = SharedMemory.Allocate<Float2>(DecodeAttentionKernel.Warps * 8);
        var merged = SharedMemory.Allocate<float>(DecodeAttentionKernel.Warps * 8 * THead.Dim);
        var warp = Group.IdxX >> 5;
        var lane = Warp.LaneIdx;
        for (var set = 0; set < Unroll.Full(TSets.Count); set++)
        {
            var ofWarp = Softmax.ColumnSum(total[set]);
            if (lane < 4)
            {
                scales[(warp * 8) + (2 * lane)] = new Float2(largest[set].X, ofWarp.X);
                scales[(warp * 8) + (2 * lane) + 1] = new Float2(largest[set].Y, ofWarp.Y);
            }

            var head = 2 * (lane & 3);
            for (var i = 0; i < Unroll.Full((THead.Dim + 63) / 64 * 4); i++)
            {
                var element = ((lane >> 2) * 8) + (64 * (i / 4)) + (2 * (i % 4));
                if (THead.Dim % 64 == 0 || element < THead.Dim)
                {
                    var sum = sums[(set * ((THead.Dim + 63) / 64) * 4) + i];
                    var at = (((warp * 8) + head) * THead.Dim) + element;
                    merged[at] = sum.X;
                    merged[at + THead.Dim] = sum.Y;
                    merged[at + 1] = sum.Z;
                    merged[at + THead.Dim + 1] = sum.W;
                }
            }

            Group.Barrier();
            WriteHeads<THead, TRange>(arguments, row, (keyHead * arguments.GroupSize) + (set * 8), Math.Min(8, arguments.GroupSize - (set * 8)), scales, merged);
            Group.Barrier();
        }
    }

    private static void WriteHeads<THead, TRange>(
        in DecodeArguments arguments, int row, int firstHead, int heads, ArrayView<Float2> scales, ArrayView<float> merged)
        where THead : struct, IHead
        where TRange : struct, IKeyRange
    {
        for (var i = Group.IdxX; i < heads * THead.Dim; i += Group.DimX)
        {
            var head = i / THead.Dim;
            var element = i - (head * THead.Dim);
            var largest = float.NegativeInfinity;
            for (var w = 0; w < Unroll.Full(DecodeAttentionKernel.Warps); w++)
                largest = MathF.Max(largest, scales[(w * 8) + head].X);
            var total = 0f;
            var sum = 0f;
            for (var w = 0; w < Unroll.Full(DecodeAttentionKernel.Warps); w++)
            {
                var scale = scales[(w * 8) + head];
                var factor = FastMath.Ex2(scale.X - largest);
                total = FastMath.Fma(scale.Y, factor, total);
                sum = FastMath.Fma(merged[(((w * 8) + head) * THead.Dim) + element], factor, sum);
            }

            sum = FastMath.Divide(sum, total);
            var index = ((long)row * (arguments.KeyHeads * arguments.GroupSize)) + firstHead + head;
            if (arguments.Splits == 1)
            {
                arguments.Output[(index * THead.Dim) + element] = BFloat16.FromSingle(sum);
                if (TRange.IsObserved && element == 0)
                    arguments.LogSumExp[index] = Softmax.LogSumExp(largest, total);
            }
            else
            {
                index = (index * arguments.Splits) + Grid.IdxX;
                arguments.PartialSums[(index * THead.Dim) + element] = sum;
                if (element == 0)
                    arguments.PartialScales[index] = new Float2(largest, total);
            }
        }
    }

    /// <summary>
    /// One group of d threads per row and query head: <c>o = sum_s w_s o_s / sum_s w_s</c> with <c>w_s = sum_s exp2(largest_s - largest)</c>
    /// over the splits that had tokens. A padding row gets zeros.
    /// </summary>
    internal static void Combine<THead, TRange>(DecodeArguments arguments)
        where THead : struct, IHead
        where TRange : struct, IKeyRange
    {
        GridDependency.LaunchDependents();
        GridDependency.Wait();
        var row = Grid.IdxY;
        var index = ((long)row * Grid.DimX) + Grid.IdxX;
        var blocks = (arguments.Rows.Positions[row] + KvBlockLayout.Size) / KvBlockLayout.Size;
        if (TRange.HasStart && blocks > 0)
            blocks -= arguments.Cache.Starts[arguments.Rows.Sequences[row]] >> KvBlockLayout.Shift;
        var sum = 0f;
        var total = 0f;
        var largest = float.NegativeInfinity;
        if (blocks > 0)
        {
            var blocksPerSplit = (blocks + arguments.Splits - 1) / arguments.Splits;
            var used = (blocks + blocksPerSplit - 1) / blocksPerSplit;
            var scales = arguments.PartialScales.SubView(index * arguments.Splits);
            var parts = arguments.PartialSums.SubView((index * arguments.Splits * THead.Dim) + Group.IdxX);
            for (var split = 0; split < used; split++)
                largest = MathF.Max(largest, scales[split].X);
            for (var split = 0; split < used; split++)
            {
                var weight = scales[split].Y * FastMath.Ex2(scales[split].X - largest);
                total += weight;
                sum = FastMath.Fma(parts[split * THead.Dim], weight, sum);
            }

            sum = FastMath.Divide(sum, total);
        }

        arguments.Output[(index * THead.Dim) + Group.IdxX] = BFloat16.FromSingle(sum);
        if (TRange.IsObserved && Group.IdxX == 0)
            arguments.LogSumExp[index] = Softmax.LogSumExp(largest, total);
    }
}
