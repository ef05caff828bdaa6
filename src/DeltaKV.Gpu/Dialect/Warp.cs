namespace DeltaKV.Gpu;

/// <summary>The 32 threads that run in lockstep. All shuffles take every lane of the warp.</summary>
public static class Warp
{
    /// <summary>The number of lanes of a warp.</summary>
    public static int WarpSize => 32;

    /// <summary>The number of this thread in its warp, 0 to 31.</summary>
    public static int LaneIdx => throw KernelOnlyException.Here();

    /// <summary>Whether this is lane 0.</summary>
    public static bool IsFirstLane => LaneIdx == 0;

    /// <summary>Whether this is lane 31.</summary>
    public static bool IsLastLane => LaneIdx == WarpSize - 1;

    /// <summary>The number of this warp in its group.</summary>
    public static int WarpIdx => Group.LinearIndex / WarpSize;

    /// <summary>The warp of a thread of the group.</summary>
    public static int ComputeWarpIdx(Index1D groupThreadIdx) => groupThreadIdx.X / WarpSize;

    /// <summary>The lane of a thread of the group.</summary>
    public static int ComputeWarpThreadIdx(Index1D groupThreadIdx) => groupThreadIdx.X % WarpSize;

    /// <summary>Waits for all lanes and orders their memory accesses.</summary>
    public static void Barrier() => throw KernelOnlyException.Here();

    /// <summary>The value that lane <paramref name="sourceLane"/> holds. Any unmanaged type; 4 bytes at a time.</summary>
    public static T Shuffle<T>(T variable, int sourceLane)
        where T : unmanaged => throw KernelOnlyException.Here();

    /// <summary>The value of a lane of this lane's segment of <paramref name="width"/> (a power of two) lanes.</summary>
    public static T Shuffle<T>(T variable, int sourceLane, int width)
        where T : unmanaged => throw KernelOnlyException.Here();

    /// <summary>The value of the lane <paramref name="delta"/> above; past the end the lane's own.</summary>
    public static T ShuffleDown<T>(T variable, int delta)
        where T : unmanaged => throw KernelOnlyException.Here();

    /// <summary>The value of the lane <paramref name="delta"/> above within the segment.</summary>
    public static T ShuffleDown<T>(T variable, int delta, int width)
        where T : unmanaged => throw KernelOnlyException.Here();

    /// <summary>The value of the lane <paramref name="delta"/> below; before the start the lane's own.</summary>
    public static T ShuffleUp<T>(T variable, int delta)
        where T : unmanaged => throw KernelOnlyException.Here();

    /// <summary>The value of the lane <paramref name="delta"/> below within the segment.</summary>
    public static T ShuffleUp<T>(T variable, int delta, int width)
        where T : unmanaged => throw KernelOnlyException.Here();

    /// <summary>The value of the lane whose number is this one's exclusive-or <paramref name="mask"/>.</summary>
    public static T ShuffleXor<T>(T variable, int mask)
        where T : unmanaged => throw KernelOnlyException.Here();

    /// <summary>The value of the lane whose number is this one's exclusive-or <paramref name="mask"/>, within the segment.</summary>
    public static T ShuffleXor<T>(T variable, int mask, int width)
        where T : unmanaged => throw KernelOnlyException.Here();

    /// <summary>The value that lane <paramref name="sourceLane"/> holds.</summary>
    public static T Broadcast<T>(T value, int sourceLane)
        where T : unmanaged => Shuffle(value, sourceLane);
}
