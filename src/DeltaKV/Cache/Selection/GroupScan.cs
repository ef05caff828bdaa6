using DeltaKV.Gpu;

namespace DeltaKV.Cache.Selection;

/// <summary>Sums over the threads before a thread, for a one-dimensional group of full warps.</summary>
internal static class GroupScan
{
    /// <summary>The sum over the threads before this one, and over all. Ends with a barrier.</summary>
    internal static Result Exclusive(int value)
    {
        var partial = SharedMemory.Allocate<int>(32);
        var inclusive = Inclusive(value);
        if (Warp.IsLastLane)
            partial[Group.IdxX >> 5] = inclusive;
        Group.Barrier();
        var sums = Inclusive(Warp.LaneIdx < (Group.DimX >> 5) ? partial[Warp.LaneIdx] : 0);
        var total = Warp.Shuffle(sums, 31);
        var before = Warp.Shuffle(sums, Math.Max((Group.IdxX >> 5) - 1, 0));
        before = Group.IdxX < 32 ? 0 : before;
        Group.Barrier();
        return new Result(before + inclusive - value, total);
    }

    /// <summary>Sums over the lanes up to this one.</summary>
    private static int Inclusive(int value)
    {
        for (var distance = 1; distance < 32; distance <<= 1)
        {
            var below = Warp.ShuffleUp(value, distance);
            value += Warp.LaneIdx >= distance ? below : 0;
        }

        return value;
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
