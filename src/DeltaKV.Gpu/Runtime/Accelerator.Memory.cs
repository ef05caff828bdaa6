using System.Runtime.CompilerServices;
using DeltaKV.Gpu.Runtime;

namespace DeltaKV.Gpu;

public abstract partial class Accelerator
{
    private long allocatedBytes;

    /// <summary>Extension: the most bytes its buffers may take together; unlimited unless set.</summary>
    public long MemoryLimit { get; set; } = long.MaxValue;

    /// <summary>Extension: the bytes its live buffers take.</summary>
    public long AllocatedBytes => Interlocked.Read(ref allocatedBytes);

    internal AllocationMap Allocations { get; } = new();

    /// <summary>Allocates a buffer of undefined content.</summary>
    public MemoryBuffer1D<T, Stride1D.Dense> Allocate1D<T>(long length)
        where T : unmanaged => AllocateBuffer<T>(length, null);

    /// <summary>Allocates a buffer and copies the array into it.</summary>
    public MemoryBuffer1D<T, Stride1D.Dense> Allocate1D<T>(T[] data)
        where T : unmanaged => Allocate1D(DefaultStream, data);

    /// <summary>Allocates a buffer and copies the array into it on a stream.</summary>
    public MemoryBuffer1D<T, Stride1D.Dense> Allocate1D<T>(AcceleratorStream stream, T[] data)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(data);
        var buffer = Allocate1D<T>(data.LongLength);
        buffer.CopyFromCPU(stream, data);
        return buffer;
    }

    /// <summary>
    /// Extension: allocates a buffer that exists from here on in the order of a stream, and whose disposal is ordered by it too. Costs
    /// microseconds where <see cref="Allocate1D{T}(long)"/> may wait for the device. Use it on other streams only after an event.
    /// </summary>
    public MemoryBuffer1D<T, Stride1D.Dense> Allocate1D<T>(AcceleratorStream stream, long length)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.ThrowIfForeign(this);
        return AllocateBuffer<T>(length, stream);
    }

    /// <summary>Allocates a host array that copies of this accelerator can use without staging.</summary>
    public PageLockedArray1D<T> AllocatePageLocked1D<T>(LongIndex1D extent)
        where T : unmanaged
    {
        ThrowIfUnusable();
        return new PageLockedArray1D<T>(this, extent);
    }

    internal DeviceAllocation Allocate(long bytes, AcceleratorStream? stream)
    {
        ThrowIfUnusable();
        if (bytes == 0)
            return new DeviceAllocation(this, 0, 0, stream);
        var used = Interlocked.Add(ref allocatedBytes, bytes);
        nint pointer = 0;
        try
        {
            if (used > MemoryLimit)
                throw new OutOfDeviceMemoryException(Name, bytes, used - bytes, MemoryLimit);
            pointer = AllocateCore(bytes, stream);
        }
        finally
        {
            if (pointer == 0)
                Interlocked.Add(ref allocatedBytes, -bytes);
        }

        Allocations.Add(pointer, bytes);
        return new DeviceAllocation(this, pointer, bytes, stream);
    }

    internal void Free(DeviceAllocation allocation)
    {
        if (allocation.Pointer == 0)
            return;
        Allocations.Remove(allocation.Pointer);
        Interlocked.Add(ref allocatedBytes, -allocation.Bytes);
        FreeCore(allocation);
    }

    /// <summary>Allocates, or throws <see cref="OutOfDeviceMemoryException"/>.</summary>
    internal abstract nint AllocateCore(long bytes, AcceleratorStream? stream);

    internal abstract void FreeCore(DeviceAllocation allocation);

    /// <summary>Allocates host memory that the device can reach, at <paramref name="devicePointer"/> as it sees it.</summary>
    internal abstract nint AllocateHost(long bytes, out nint devicePointer);

    internal abstract void FreeHost(nint pointer, long bytes);

    private MemoryBuffer1D<T, Stride1D.Dense> AllocateBuffer<T>(long length, AcceleratorStream? stream)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        var allocation = Allocate(checked(length * Unsafe.SizeOf<T>()), stream);
        return new MemoryBuffer1D<T, Stride1D.Dense>(allocation, new(new ArrayView<T>(allocation.Pointer, length), default));
    }
}
