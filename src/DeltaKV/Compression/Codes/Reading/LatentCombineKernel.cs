using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>
/// Adds the splits of <see cref="LatentDecodeKernel"/> and turns codes into values: <c>o = (sum_s w_s (O_s U_v + l_s mean_v) + w O_raw) / (sum_s w_s l_s + w l_raw)</c>,
/// <c>w_s = 2^(m_s - m)</c>.
/// </summary>
/// <remarks>
/// One group of 2 d threads per (query head, row); a thread takes two columns and four of every 16 dimensions of the up matrix, which comes from L2: 2 d bytes per dimension.
/// Bound by latency.
/// </remarks>
internal static class LatentCombineKernel
{
    /// <summary>Most splits of a row.</summary>
    internal const int MaxSplits = 512;

    internal static void Kernel<THead>(LatentArguments arguments)
        where THead : struct, IHead
    {
        GridDependency.Wait();
        var head = Grid.IdxX;
        var item = ((long)Grid.IdxY * arguments.QueryHeads) + head;
        var keyHead = head / (arguments.QueryHeads / arguments.KeyHeads);
        var plan = arguments.Plans[(arguments.Layer * arguments.KeyHeads) + keyHead];
        var weights = SharedMemory.Allocate<float>(MaxSplits);
        var latent = SharedMemory.Allocate<float>(16 * LatentTables.MaxSteps);

        var softmax = arguments.PartialSoftmax.SubView(item * (arguments.Splits + 1));
        var max = float.NegativeInfinity;
        for (var split = Group.IdxX; split <= arguments.Splits; split += Group.DimX)
            max = MathF.Max(max, softmax[split].X);
        max = GroupReduce.Max(max);
        var coded = 0f;
        for (var split = Group.IdxX; split < arguments.Splits; split += Group.DimX)
        {
            var of = softmax[split];
            var weight = of.Y > 0f ? FastMath.Ex2(of.X - max) : 0f;
            weights[split] = weight;
            coded += weight * of.Y;
        }

        coded = GroupReduce.Sum(coded);
        var last = softmax[arguments.Splits];
        var rawWeight = last.Y > 0f ? FastMath.Ex2(last.X - max) : 0f;
        var total = coded + (rawWeight * last.Y);
        var inverse = total > 0f ? 1f / total : 0f;
        if (Group.IdxX == 0 && arguments.LogSumExp.Length > 0)
            arguments.LogSumExp[item] = Softmax.LogSumExp(max, total);

        for (var dimension = Group.IdxX; dimension < 16 * plan.ValueSteps; dimension += Group.DimX)
        {
            var parts = arguments.PartialLatent.SubView((item * arguments.Splits * arguments.LatentStride) + dimension);
            var sum = 0f;
            for (var split = 0; split < arguments.Splits; split++)
            {
                // A split without tokens wrote nothing.
                if (weights[split] > 0f)
                    sum = FastMath.Fma(weights[split], parts[split * arguments.LatentStride], sum);
            }

            latent[dimension] = sum * inverse;
        }

        Group.Barrier();
        Write<THead>(arguments, plan, item, keyHead, latent, weights, inverse, coded, rawWeight * inverse);
    }

    private static void Write<THead>(
        in LatentArguments arguments, LatentPlan plan, long item, int keyHead, ArrayView<float> latent, ArrayView<float> weights, float inverse, float coded, float rawWeight)
        where THead : struct, IHead
    {
        // Fragments [pass][step][pair][lane]: rows 2t, 2t + 1, 2t + 8, 2t + 9 of column g of the lower and of the upper half.
        var pass = Group.IdxX >> 7;
        var pair = (Group.IdxX >> 5) & 3;
        var up = arguments.Pool.Up.SubView((long)plan.ValueUp + (pass * plan.ValueSteps * 128) + (Group.IdxX & 127));
        var row = 2 * (Warp.LaneIdx & 3);
        var low = 0f;
        var high = 0f;
        for (var step = 0; step < plan.ValueSteps; step++)
        {
            var b = up[128 * step];
            var (x0, x1) = (latent[(16 * step) + row], latent[(16 * step) + row + 1]);
            var (x8, x9) = (latent[(16 * step) + row + 8], latent[(16 * step) + row + 9]);
            low = FastMath.Fma(x0, new Half2(b.X).Low, FastMath.Fma(x1, new Half2(b.X).High, FastMath.Fma(x8, new Half2(b.Y).Low, FastMath.Fma(x9, new Half2(b.Y).High, low))));
            high = FastMath.Fma(x0, new Half2(b.Z).Low, FastMath.Fma(x1, new Half2(b.Z).High, FastMath.Fma(x8, new Half2(b.W).Low, FastMath.Fma(x9, new Half2(b.W).High, high))));
        }

        low = Softmax.RowSum(low);
        high = Softmax.RowSum(high);
        if ((Warp.LaneIdx & 3) > 1)
            return;
        var isHigh = (Warp.LaneIdx & 3) == 1;
        var column = Warp.LaneIdx >> 2;
        var element = (pass * 32) + (column / 2 * 8) + (2 * pair) + (column % 2) + (isHigh ? THead.Dim / 2 : 0);
        var mean = arguments.Pool.Mean.Cast<float>()[((((arguments.Layer * 2L) + 1) * arguments.KeyHeads) + keyHead) * THead.Dim + element];
        var value = FastMath.Fma(mean, coded * inverse, isHigh ? high : low);
        if (arguments.Pool.LayerCodes[arguments.Layer].Neighbours > 0)
        {
            var references = arguments.PartialReferences.SubView((item * arguments.Splits * THead.Dim) + element);
            for (var split = 0; split < arguments.Splits; split++)
            {
                if (weights[split] > 0f)
                    value = FastMath.Fma(weights[split] * inverse, references[split * THead.Dim], value);
            }
        }

        if (rawWeight > 0f)
            value = FastMath.Fma(rawWeight, arguments.PartialRaw[(item * THead.Dim) + element], value);
        arguments.Output[(item * THead.Dim) + element] = BFloat16.FromSingle(value);
    }
}
