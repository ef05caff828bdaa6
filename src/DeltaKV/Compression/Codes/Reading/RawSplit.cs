using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>The group of decode attention over codes that attends to a head's raw tokens: sinks and window, some hundred.</summary>
internal static class RawSplit
{
    /// <summary>16-byte pieces of dynamic shared memory that so many warps take.</summary>
    internal static int Pieces(int headDim, int warps) => warps * 2 * 16 * ((headDim / 8) + 1);

    /// <summary>The warps of a group.</summary>
    internal interface IWarps
    {
        /// <summary>Their number.</summary>
        static abstract int Count { get; }
    }

    internal static void Attend<THead, TWarps>(in LatentArguments arguments, int row, int head, int firstQuery, int queryCount)
        where THead : struct, IHead
        where TWarps : struct, IWarps
    {
        var warp = Group.IdxX >> 5;
        var shared = SharedMemory.GetDynamic<UInt4>();
        var keys = shared.SubView(warp * 2 * 16 * ((THead.Dim / 8) + 1), 16 * ((THead.Dim / 8) + 1));
        var values = shared.SubView(((warp * 2) + 1) * 16 * ((THead.Dim / 8) + 1), 16 * ((THead.Dim / 8) + 1));
        var length = arguments.Rows.Positions[row] + 1;
        var sequence = length > 0 ? arguments.Rows.Sequences[row] : 0;
        var limits = arguments.Order.Bounds[sequence];
        var tiles = length > 0 ? (arguments.Order.RawCount(sequence, limits, length) + 15) >> 4 : 0;

        var query = firstQuery + Math.Min(Warp.LaneIdx >> 2, queryCount - 1);
        var stride = (arguments.QueryHeads + (2 * arguments.KeyHeads)) * (THead.Dim / 8);
        var source = arguments.Qkv.SubView(((long)row * stride) + (query * (THead.Dim / 8))).Cast<uint>();
        var queries = LocalMemory.Allocate<UInt4>(THead.Dim / 16);
        WarpAttention.LoadQueries<THead>(source, queries);
        var output = LocalMemory.Allocate<Float4>(THead.Dim / 8);
        for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
            output[i] = default;
        var max = float.NegativeInfinity;
        var sum = 0f;
        for (var tile = warp; tile < tiles; tile += TWarps.Count)
        {
            var position = arguments.Order.PositionAt(sequence, head, limits, 0, 0, length, false, (tile << 4) + (Warp.LaneIdx & 15));
            RawTile.Load<THead>(arguments.Raw, arguments.KeyHeads, sequence, head, false, position, keys);
            RawTile.Load<THead>(arguments.Raw, arguments.KeyHeads, sequence, head, true, position, values);
            Warp.Barrier();
            WarpAttention.Attend<THead>(queries, keys, values, position, arguments.Scale, ref max, ref sum, output);
            Warp.Barrier();
        }

        GridDependency.LaunchDependents();
        // Each warp overwrites its own tiles.
        var merged = shared.Cast<float>();
        var floats = 2 * 16 * ((THead.Dim / 8) + 1) * 4;
        WarpMerge.Store<THead>(merged.SubView(warp * floats, floats), output, max, sum);
        Group.Barrier();
        var target = ((long)row * arguments.QueryHeads) + firstQuery;
        for (var pair = Group.IdxX; pair < queryCount * (THead.Dim / 2); pair += 32 * TWarps.Count)
        {
            var of = pair / (THead.Dim / 2);
            var element = 2 * (pair % (THead.Dim / 2));
            var result = WarpMerge.Add(merged, TWarps.Count, floats, THead.Dim, of, element);
            var part = (((target + of) * arguments.RawParts) + arguments.RawParts - 1) * THead.Dim;
            arguments.PartialRaw[part + element] = result.Low;
            arguments.PartialRaw[part + element + 1] = result.High;
            if (element == 0)
                arguments.PartialSoftmax[((target + of) * (arguments.Splits + 1)) + arguments.Splits] = new Float2(result.Largest, result.Total);
        }
    }

    /// <summary>Four warps.</summary>
    internal readonly struct Four : IWarps
    {
        public static int Count => 4;
    }

    /// <summary>Eight warps.</summary>
    internal readonly struct Eight : IWarps
    {
        public static int Count => 8;
    }
}
