namespace DeltaKV.Gpu;

/// <summary>Arrays of one thread.</summary>
public static class LocalMemory
{
    /// <summary>
    /// An array of this thread. It becomes registers when every index is a constant after unrolling; otherwise it is a compile error,
    /// unless the method says <see cref="AllowLocalMemoryAttribute"/>. It starts undefined.
    /// </summary>
    /// <param name="extent">The number of elements, a compile-time constant.</param>
    public static ArrayView<T> Allocate<T>(int extent)
        where T : unmanaged => throw KernelOnlyException.Here();
}
