using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Kivi;

/// <summary>The end of <see cref="KiviDecodeKernel"/>: the results of a group's warps become one, the output itself or a split's share.</summary>
internal static class KiviMerge
{
    /// <summary>Shared memory it needs, in pieces of 16 bytes.</summary>
    internal static int Units(int headDim) => WarpMerge.Warps * WarpMerge.Floats(headDim) / 4;

    internal static void Write<THead>(
        in DecodeArguments<KiviReader> arguments, ArrayView<float> shared, KiviSoftmax softmax, ArrayView<Float4> sums, int row, int firstQuery, int queryCount)
        where THead : struct, IHead
    {
        var stride = WarpMerge.Floats(THead.Dim);
        var own = shared.SubView((Group.IdxX >> 5) * stride);
        WarpMerge.StoreSoftmax(own, THead.Dim, softmax.Largest, softmax.Total);
        var head = 2 * (Warp.LaneIdx & 3);
        for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
        {
            var at = (head * THead.Dim) + ((i >> 1) * 32) + ((Warp.LaneIdx >> 2) * 4) + ((i & 1) * 2);
            own[at] = sums[i].X;
            own[at + THead.Dim] = sums[i].Y;
            own[at + 1] = sums[i].Z;
            own[at + THead.Dim + 1] = sums[i].W;
        }

        WarpMerge.Write<KiviReader, THead>(arguments, shared, stride, row, firstQuery, queryCount);
    }
}
