namespace DeltaKV.Gpu;

/// <summary>Where this thread stands in its group, and what the group does together.</summary>
public static class Group
{
    /// <summary>The X index of this thread in its group.</summary>
    public static int IdxX => throw KernelOnlyException.Here();

    /// <summary>The number of threads along X.</summary>
    public static int DimX => throw KernelOnlyException.Here();

    /// <summary>The Y index of this thread in its group.</summary>
    public static int IdxY => throw KernelOnlyException.Here();

    /// <summary>The number of threads along Y.</summary>
    public static int DimY => throw KernelOnlyException.Here();

    /// <summary>The Z index of this thread in its group.</summary>
    public static int IdxZ => throw KernelOnlyException.Here();

    /// <summary>The number of threads along Z.</summary>
    public static int DimZ => throw KernelOnlyException.Here();

    /// <summary>The index of this thread in its group.</summary>
    public static Index3D Index => new(IdxX, IdxY, IdxZ);

    /// <summary>The size of its group in threads.</summary>
    public static Index3D Dimension => new(DimX, DimY, DimZ);

    /// <summary>The row-major number of this thread: x runs fastest.</summary>
    public static int LinearIndex => (((IdxZ * DimY) + IdxY) * DimX) + IdxX;

    /// <summary>Whether this is thread 0 of its group.</summary>
    public static bool IsFirstThread => LinearIndex == 0;

    /// <summary>Whether this is the last thread of its group.</summary>
    public static bool IsLastThread => LinearIndex == (DimX * DimY * DimZ) - 1;

    /// <summary>Waits for all threads of the group and makes their shared and global writes visible to it.</summary>
    public static void Barrier() => throw KernelOnlyException.Here();

    /// <summary>A barrier that counts the threads whose predicate holds.</summary>
    public static int BarrierPopCount(bool predicate) => throw KernelOnlyException.Here();

    /// <summary>A barrier that tells whether the predicate holds for all threads.</summary>
    public static bool BarrierAnd(bool predicate) => throw KernelOnlyException.Here();

    /// <summary>A barrier that tells whether the predicate holds for any thread.</summary>
    public static bool BarrierOr(bool predicate) => throw KernelOnlyException.Here();

    /// <summary>Gives every thread the value that thread <paramref name="groupIndex"/> holds.</summary>
    public static T Broadcast<T>(T value, int groupIndex)
        where T : unmanaged
    {
        ref var slot = ref SharedMemory.Allocate<T>();
        if (LinearIndex == groupIndex)
            slot = value;
        Barrier();
        var result = slot;
        Barrier();
        return result;
    }
}
