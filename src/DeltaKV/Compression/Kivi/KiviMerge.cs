using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Kivi;

/// <summary>The end of <see cref="KiviDecodeKernel"/>: the results of a group's warps become one, the output itself or a split's share.</summary>
internal static class KiviMerge
{
    private const int Warps = KiviDecodeKernel.Warps;

    /// <summary>Shared memory it needs, in pieces of 16 bytes.</summary>
    internal static int Units(int headDim) => Warps * Stride(headDim) / 4;

    internal static void Write<THead>(
        in DecodeArguments<KiviReader> arguments, ArrayView<float> shared, KiviSoftmax softmax, ArrayView<Float4> sums, int row, int firstQuery, int queryCount)
        where THead : struct, IHead
    {
        Gather<THead>(shared.SubView((Group.IdxX >> 5) * Stride(THead.Dim)), softmax, sums);
        Group.Barrier();
        for (var pair = Group.IdxX; pair < queryCount * (THead.Dim / 2); pair += 32 * Warps)
        {
            var query = pair / (THead.Dim / 2);
            var element = 2 * (pair % (THead.Dim / 2));
            var largest = float.NegativeInfinity;
            for (var warp = 0; warp < Unroll.Full(Warps); warp++)
                largest = MathF.Max(largest, shared[(warp * Stride(THead.Dim)) + (8 * THead.Dim) + query]);
            var total = 0f;
            var low = 0f;
            var high = 0f;
            for (var warp = 0; warp < Unroll.Full(Warps); warp++)
            {
                var own = shared.SubView(warp * Stride(THead.Dim));
                // A warp without tokens has -infinity and no weight.
                var weight = own[(8 * THead.Dim) + query] > float.NegativeInfinity ? FastMath.Ex2(own[(8 * THead.Dim) + query] - largest) : 0f;
                total = FastMath.Fma(weight, own[(8 * THead.Dim) + 8 + query], total);
                low = FastMath.Fma(weight, own[(query * THead.Dim) + element], low);
                high = FastMath.Fma(weight, own[(query * THead.Dim) + element + 1], high);
            }

            Store<THead>(arguments, ((long)row * arguments.QueryHeads) + firstQuery + query, element, largest, total, low, high);
        }
    }

    /// <summary>8 heads of sums, 8 largest scores, 8 totals.</summary>
    private static int Stride(int headDim) => (8 * headDim) + 16;

    private static void Gather<THead>(ArrayView<float> own, KiviSoftmax softmax, ArrayView<Float4> sums)
        where THead : struct, IHead
    {
        var even = softmax.Total.X;
        var odd = softmax.Total.Y;
        for (var i = 0; i < Unroll.Full(3); i++)
        {
            even += Warp.ShuffleXor(even, 4 << i);
            odd += Warp.ShuffleXor(odd, 4 << i);
        }

        var head = 2 * (Warp.LaneIdx & 3);
        if (Warp.LaneIdx < 4)
        {
            own[(8 * THead.Dim) + head] = softmax.Largest.X;
            own[(8 * THead.Dim) + head + 1] = softmax.Largest.Y;
            own[(8 * THead.Dim) + 8 + head] = even;
            own[(8 * THead.Dim) + 8 + head + 1] = odd;
        }

        for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
        {
            var at = (head * THead.Dim) + ((i >> 1) * 32) + ((Warp.LaneIdx >> 2) * 4) + ((i & 1) * 2);
            own[at] = sums[i].X;
            own[at + THead.Dim] = sums[i].Y;
            own[at + 1] = sums[i].Z;
            own[at + THead.Dim + 1] = sums[i].W;
        }
    }

    private static void Store<THead>(
        in DecodeArguments<KiviReader> arguments, long target, int element, float largest, float total, float low, float high)
        where THead : struct, IHead
    {
        if (arguments.Splits == 1)
        {
            var inverse = total > 0f ? 1f / total : 0f;
            arguments.Output[((target * THead.Dim) + element) >> 1] = BFloat16x2.FromSingles(low * inverse, high * inverse);
            if (element == 0 && arguments.LogSumExp.Length > 0)
                arguments.LogSumExp[target] = (largest + FastMath.Lg2(total)) * 0.6931471805599453f;
            return;
        }

        var part = (target * arguments.Splits) + Grid.IdxX;
        arguments.PartialOutput[(part * THead.Dim) + element] = low;
        arguments.PartialOutput[(part * THead.Dim) + element + 1] = high;
        if (element == 0)
            arguments.PartialSoftmax[part] = new Float2(largest, total);
    }
}
