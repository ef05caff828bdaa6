using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu;

/// <summary>The dynamic shared memory of a launch; a kernel reads it through <see cref="SharedMemory.GetDynamic{T}"/>.</summary>
/// <remarks>More than 48 KB works where the device allows it: the opt-in is made on the first launch that needs it.</remarks>
public readonly record struct SharedMemoryConfig
{
    /// <summary>No dynamic shared memory.</summary>
    public static readonly SharedMemoryConfig Empty;

    /// <summary>Asks for elements of a size.</summary>
    /// <param name="numElements">The number of elements.</param>
    /// <param name="elementSize">The bytes of an element.</param>
    public SharedMemoryConfig(int numElements, int elementSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(numElements);
        ArgumentOutOfRangeException.ThrowIfNegative(elementSize);
        _ = checked(numElements * elementSize);
        NumElements = numElements;
        ElementSize = elementSize;
    }

    /// <summary>The number of elements.</summary>
    public int NumElements { get; }

    /// <summary>The bytes of an element.</summary>
    public int ElementSize { get; }

    /// <summary>The bytes of all elements.</summary>
    public int ArraySize => NumElements * ElementSize;

    /// <summary>Whether there is any.</summary>
    public bool UsesDynamicSharedMemory => ArraySize > 0;

    /// <summary>Asks for <paramref name="numElements"/> elements per group.</summary>
    public static SharedMemoryConfig RequestDynamic<T>(int numElements)
        where T : unmanaged => new(numElements, Unsafe.SizeOf<T>());
}
