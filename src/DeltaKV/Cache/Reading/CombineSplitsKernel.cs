using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>Adds the splits of decode attention: <c>o = sum_s 2^(m_s - m) o_s / sum_s 2^(m_s - m) l_s</c>, <c>m = max m_s</c>.</summary>
/// <remarks>
/// Shapes: partial outputs <c>[rows, queryHeads, splits, d]</c> fp32, (m, l) <c>[rows, queryHeads, splits]</c>, output <c>[rows, queryHeads d]</c> bf16. One group of two warps per
/// row and head: first a lane per split finds the weights, then a lane per pair of elements adds, eight splits in flight. Moves 4 d bytes per split: bound by latency.
/// </remarks>
internal sealed class CombineSplitsKernel(Accelerator accelerator)
{
    private const int Threads = 64;
    private const int MaxSplits = 1024;

    // Loads that a thread has in flight.
    private const int Unrolled = 8;

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
        ArgumentOutOfRangeException.ThrowIfGreaterThan(splits, MaxSplits);
        combine.Launch(
            stream,
            new KernelConfig(rows * shape.QueryHeads, Threads),
            new Arguments
            {
                PartialOutput = partialOutput.Cast<Float2>(),
                PartialSoftmax = partialSoftmax,
                Output = output,
                LogSumExp = logSumExp,
                Splits = splits,
                Pairs = shape.HeadDim / 2,
            });
    }

    private static void Kernel(Arguments arguments)
    {
        GridDependency.LaunchDependents();
        GridDependency.Wait();
        var item = (long)Grid.IdxX;
        var splits = arguments.Splits;
        var softmax = arguments.PartialSoftmax.SubView(item * splits);
        var weights = SharedMemory.Allocate<float>(MaxSplits);
        var max = float.NegativeInfinity;
        for (var split = Warp.LaneIdx; split < splits; split += 32)
            max = MathF.Max(max, softmax[split].X);
        max = WarpReduce.Max(max);
        var total = 0f;
        for (var split = Warp.LaneIdx; split < splits; split += 32)
        {
            // A split without tokens has -infinity and no weight.
            var part = softmax[split];
            var weight = part.Y > 0f ? FastMath.Ex2(part.X - max) : 0f;
            total = FastMath.Fma(part.Y, weight, total);
            if (Group.IdxX < 32)
                weights[split] = weight;
        }

        total = WarpReduce.Sum(total);
        Group.Barrier();
        if (Group.IdxX == 0 && arguments.LogSumExp.Length > 0)
            arguments.LogSumExp[item] = Softmax.LogSumExp(max, total);

        var inverse = total > 0f ? 1f / total : 0f;
        var parts = LocalMemory.Allocate<Float2>(Unrolled);
        for (var pair = Group.IdxX; pair < arguments.Pairs; pair += Threads)
        {
            var source = arguments.PartialOutput.SubView((item * splits * arguments.Pairs) + pair);
            var low = 0f;
            var high = 0f;
            for (var first = 0; first < splits; first += Unrolled)
            {
                for (var i = 0; i < Unroll.Full(Unrolled); i++)
                    parts[i] = source[Math.Min(first + i, splits - 1) * arguments.Pairs];
                for (var i = 0; i < Unroll.Full(Unrolled); i++)
                {
                    var weight = first + i < splits ? weights[first + i] : 0f;
                    low = FastMath.Fma(parts[i].X, weight, low);
                    high = FastMath.Fma(parts[i].Y, weight, high);
                }
            }

            arguments.Output[(item * arguments.Pairs) + pair] = BFloat16x2.FromSingles(low * inverse, high * inverse);
        }
    }

    private struct Arguments
    {
        public ArrayView<Float2> PartialOutput;
        public ArrayView<Float2> PartialSoftmax;
        public ArrayView<BFloat16x2> Output;
        public ArrayView<float> LogSumExp;
        public int Splits;
        public int Pairs;
    }
}
