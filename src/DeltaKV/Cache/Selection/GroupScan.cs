using DeltaKV.Gpu;

namespace DeltaKV.Cache.Selection;

/// <summary>Sums over the threads before a thread, for a one-dimensional group of full warps.</summary>
internal static class GroupScan
{
    /// <summary>The sum over the threads before this one, and over all. Ends with a barrier.</summary>
    internal static Result Exclusive(int value)
    {
        var partial = SharedMemory.Allocate<int>(32);
        var inclusive = value;
        for (var distance = 1; distance < 32; distance <<= 1)
        {
            var below = Warp.ShuffleUp(inclusive, distance);
            inclusive += Warp.LaneIdx >= distance ? below : 0;
        }

        if (Warp.IsLastLane)
            partial[Group.IdxX >> 5] = inclusive;
        Group.Barrier();
        var warps = Group.DimX >> 5;
        var before = 0;
        var total = 0;
        for (var warp = 0; warp < warps; warp++)
        {
            var sum = partial[warp];
            before += warp < (Group.IdxX >> 5) ? sum : 0;
            total += sum;
        }

        Group.Barrier();
        return new Result(before + inclusive - value, total);
    }

    /// <summary>Sums of a scan.</summary>
    /// <param name="before">Over the threads before.</param>
    /// <param name="total">Over all threads.</param>
    internal readonly struct Result(int before, int total)
    {
        /// <summary>Over the threads before.</summary>
        public readonly int Before = before;

        /// <summary>Over all threads.</summary>
        public readonly int Total = total;
    }
}
