namespace DeltaKV.Gpu;

/// <summary>Reductions over a one-dimensional group of full warps; every thread gets the result. An extension to ILGPU's dialect.</summary>
public static class GroupReduce
{
    /// <summary>The sum: by warp, then over the warps in order. Ends with a barrier.</summary>
    public static float Sum(float value)
    {
        var partial = SharedMemory.Allocate<float>(32);
        value = WarpReduce.Sum(value);
        if (Warp.IsFirstLane)
            partial[Group.IdxX / 32] = value;
        Group.Barrier();
        value = Warp.LaneIdx < Group.DimX / 32 ? partial[Warp.LaneIdx] : 0f;
        value = WarpReduce.Sum(value);
        Group.Barrier();
        return value;
    }

    /// <summary>The largest value. Ends with a barrier.</summary>
    public static float Max(float value)
    {
        var partial = SharedMemory.Allocate<float>(32);
        value = WarpReduce.Max(value);
        if (Warp.IsFirstLane)
            partial[Group.IdxX / 32] = value;
        Group.Barrier();
        value = Warp.LaneIdx < Group.DimX / 32 ? partial[Warp.LaneIdx] : float.NegativeInfinity;
        value = WarpReduce.Max(value);
        Group.Barrier();
        return value;
    }
}
