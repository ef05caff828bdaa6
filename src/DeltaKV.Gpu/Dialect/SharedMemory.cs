namespace DeltaKV.Gpu;

/// <summary>Memory shared by the threads of a group.</summary>
public static class SharedMemory
{
    /// <summary>One variable of the group. Every call site is its own variable; it starts undefined.</summary>
    public static ref T Allocate<T>()
        where T : unmanaged => throw KernelOnlyException.Here();

    /// <summary>An array of the group. Every call site is its own array; it starts undefined.</summary>
    /// <param name="extent">The number of elements, a compile-time constant.</param>
    public static ArrayView<T> Allocate<T>(int extent)
        where T : unmanaged => throw KernelOnlyException.Here();

    /// <summary>The dynamic shared memory of the launch (<c>SharedMemoryConfig</c>); every call gives the same bytes.</summary>
    public static ArrayView<T> GetDynamic<T>()
        where T : unmanaged => throw KernelOnlyException.Here();
}
