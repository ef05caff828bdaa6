using DeltaKV.Gpu.Runtime;

namespace DeltaKV.Gpu;

/// <summary>Device memory with an owner. Disposing it frees the memory; views of it must not be used afterwards.</summary>
public abstract class MemoryBuffer : IDisposable
{
    private DeviceAllocation? allocation;

    private protected MemoryBuffer(DeviceAllocation allocation, long length, int elementSize)
    {
        this.allocation = allocation;
        Accelerator = allocation.Accelerator;
        NativePtr = allocation.Pointer;
        Length = length;
        ElementSize = elementSize;
        Accelerator.Adopt(this);
    }

    /// <summary>The accelerator that owns the memory.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>The device address.</summary>
    public nint NativePtr { get; private set; }

    /// <summary>The number of elements.</summary>
    public long Length { get; }

    /// <summary>The bytes of an element.</summary>
    public int ElementSize { get; }

    /// <summary>The bytes of all elements.</summary>
    public long LengthInBytes => Length * ElementSize;

    /// <summary>Whether it was disposed.</summary>
    public bool IsDisposed => allocation is null;

    /// <summary>Frees the memory; a buffer allocated on a stream is freed in the order of that stream.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory.</summary>
    protected virtual void Dispose(bool disposing)
    {
        var freed = Interlocked.Exchange(ref allocation, null);
        if (freed is null)
            return;
        NativePtr = 0;
        Accelerator.Release(this);
        Accelerator.Free(freed);
    }

    private protected void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(allocation is null, this);
}
