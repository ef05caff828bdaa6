using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Kivi;

/// <summary>The end of <see cref="KiviDecodeKernel"/>: the results of a group's warps become one, the output itself or a split's share.</summary>
internal static class KiviMerge
{
    private const int Warps = KiviDecodeKernel.Warps;

    /// <summary>Shared memory it needs, in pieces of 16 bytes.</summary>
    internal static int Units(int headDim) => Warps * WarpMerge.Floats(headDim) / 4;

    internal static void Write<THead>(
        in DecodeArguments<KiviReader> arguments, ArrayView<float> shared, KiviSoftmax softmax, ArrayView<Float4> sums, int row, int firstQuery, int queryCount)
        where THead : struct, IHead
    {
        var stride = WarpMerge.Floats(THead.Dim);
        Gather<THead>(shared.SubView((Group.IdxX >> 5) * stride), softmax, sums);
        Group.Barrier();
        for (var pair = Group.IdxX; pair < queryCount * (THead.Dim / 2); pair += 32 * Warps)
        {
            var query = pair / (THead.Dim / 2);
            var element = 2 * (pair % (THead.Dim / 2));
            Store<THead>(
                arguments, ((long)row * arguments.QueryHeads) + firstQuery + query, element, WarpMerge.Add(shared, Warps, stride, THead.Dim, query, element));
        }
    }

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
            WarpMerge.StoreSoftmax(own, THead.Dim, head, softmax.Largest.X, even);
            WarpMerge.StoreSoftmax(own, THead.Dim, head + 1, softmax.Largest.Y, odd);
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

    private static void Store<THead>(in DecodeArguments<KiviReader> arguments, long target, int element, WarpMerge.Sum merged)
        where THead : struct, IHead
    {
        if (arguments.Splits == 1)
        {
            var inverse = merged.Total > 0f ? 1f / merged.Total : 0f;
            arguments.Output[((target * THead.Dim) + element) >> 1] = BFloat16x2.FromSingles(merged.Low * inverse, merged.High * inverse);
            if (element == 0 && arguments.LogSumExp.Length > 0)
                arguments.LogSumExp[target] = (merged.Largest + FastMath.Lg2(merged.Total)) * 0.6931471805599453f;
            return;
        }

        var part = (target * arguments.Splits) + Grid.IdxX;
        arguments.PartialOutput[(part * THead.Dim) + element] = merged.Low;
        arguments.PartialOutput[(part * THead.Dim) + element + 1] = merged.High;
        if (element == 0)
            arguments.PartialSoftmax[part] = new Float2(merged.Largest, merged.Total);
    }
}
