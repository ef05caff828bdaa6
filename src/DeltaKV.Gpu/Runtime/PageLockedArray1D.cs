using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu;

/// <summary>A host array at a fixed address that a GPU can read and write, so that copies need no staging and can be captured.</summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed class PageLockedArray1D<T> : IDisposable
    where T : unmanaged
{
    private readonly Accelerator accelerator;
    private readonly nint devicePointer;
    private T[]? array;

    internal PageLockedArray1D(Accelerator accelerator, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        this.accelerator = accelerator;
        array = GC.AllocateArray<T>(checked((int)length), pinned: true);
        Length = length;
        if (length == 0)
            return;
        devicePointer = accelerator.PinHostMemory(Address, Length * Unsafe.SizeOf<T>());
        accelerator.Allocations.Add(devicePointer, Length * Unsafe.SizeOf<T>());
        accelerator.Adopt(this);
    }

    /// <summary>The number of elements.</summary>
    public long Length { get; }

    /// <summary>The number of elements as an index.</summary>
    public LongIndex1D Extent => Length;

    /// <summary>The elements.</summary>
    public Span<T> Span => GetArray();

    /// <summary>The elements as kernels see them.</summary>
    public ArrayView<T> ArrayView
    {
        get
        {
            ObjectDisposedException.ThrowIf(array is null, this);
            return new(devicePointer, Length);
        }
    }

    internal unsafe nint Address => (nint)Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(GetArray()));

    /// <summary>The element at an index.</summary>
    public ref T this[int index] => ref GetArray()[index];

    /// <summary>The element at an index.</summary>
    public ref T this[long index] => ref GetArray()[index];

    /// <summary>The array underneath.</summary>
    public T[] GetArray()
    {
        ObjectDisposedException.ThrowIf(array is null, this);
        return array;
    }

    /// <summary>Unlocks the memory; wait for the copies that use it first.</summary>
    public void Dispose()
    {
        if (array is null)
            return;
        if (Length > 0)
        {
            accelerator.Allocations.Remove(devicePointer);
            accelerator.UnpinHostMemory(Address);
            accelerator.Release(this);
        }

        array = null;
    }
}
