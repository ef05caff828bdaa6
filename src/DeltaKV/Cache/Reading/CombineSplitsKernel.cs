using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>Adds the splits of decode attention: <c>o = sum_s 2^(m_s - m) o_s / sum_s 2^(m_s - m) l_s</c>, <c>m = max m_s</c>.</summary>
/// <remarks>
/// Shapes: partial outputs <c>[rows, queryHeads, splits, d]</c> fp32, (m, l) <c>[rows, queryHeads, splits]</c>, output <c>[rows, queryHeads d]</c> bf16. One warp per
/// row and head. Moves 4 d bytes per split: bound by the launch.
/// </remarks>
internal sealed class CombineSplitsKernel(Accelerator accelerator)
{
    private const int Warps = 4;

    private readonly KernelHandle<Arguments> combine = new(accelerator, Kernel);

    internal void Launch(
        AcceleratorStream stream,
        ArrayView<float> partialOutput,
        ArrayView<Float2> partialSoftmax,
        ArrayView<BFloat16x2> output,
        ArrayView<float> logSumExp,
        AttentionShape shape,
        int splits,
        int rows)
    {
        var count = rows * shape.QueryHeads;
        combine.Launch(
            stream,
            new KernelConfig((count + Warps - 1) / Warps, 32 * Warps),
            new Arguments
            {
                PartialOutput = partialOutput.Cast<Float2>(),
                PartialSoftmax = partialSoftmax,
                Output = output,
                LogSumExp = logSumExp,
                Count = count,
                Splits = splits,
                Pairs = shape.HeadDim / 2,
            });
    }

    private static void Kernel(Arguments arguments)
    {
        var item = (Grid.IdxX * Warps) + (Group.IdxX >> 5);
        if (item >= arguments.Count)
            return;
        var softmax = arguments.PartialSoftmax.SubView((long)item * arguments.Splits);
        var max = float.NegativeInfinity;
        for (var split = 0; split < arguments.Splits; split++)
            max = MathF.Max(max, softmax[split].X);
        var total = 0f;
        for (var split = 0; split < arguments.Splits; split++)
            total += softmax[split].Y > 0f ? softmax[split].Y * FastMath.Ex2(softmax[split].X - max) : 0f;
        var inverse = total > 0f ? 1f / total : 0f;
        if (Warp.IsFirstLane && arguments.LogSumExp.Length > 0)
            arguments.LogSumExp[item] = (max + FastMath.Lg2(total)) * 0.6931471805599453f;

        for (var pair = Warp.LaneIdx; pair < arguments.Pairs; pair += 32)
        {
            var low = 0f;
            var high = 0f;
            for (var split = 0; split < arguments.Splits; split++)
            {
                if (softmax[split].Y > 0f)
                {
                    var weight = FastMath.Ex2(softmax[split].X - max) * inverse;
                    var partial = arguments.PartialOutput[(((long)item * arguments.Splits) + split) * arguments.Pairs + pair];
                    low += weight * partial.X;
                    high += weight * partial.Y;
                }
            }

            arguments.Output[((long)item * arguments.Pairs) + pair] = BFloat16x2.FromSingles(low, high);
        }
    }

    private struct Arguments
    {
        public ArrayView<Float2> PartialOutput;
        public ArrayView<Float2> PartialSoftmax;
        public ArrayView<BFloat16x2> Output;
        public ArrayView<float> LogSumExp;
        public int Count;
        public int Splits;
        public int Pairs;
    }
}
