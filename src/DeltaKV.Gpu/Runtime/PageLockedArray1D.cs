namespace DeltaKV.Gpu;

/// <summary>Host memory that a GPU can read and write where it is, so that copies need no staging and can be captured. Starts as zeros.</summary>
/// <typeparam name="T">The element type.</typeparam>
public sealed unsafe class PageLockedArray1D<T> : IDisposable
    where T : unmanaged
{
    private readonly Accelerator accelerator;
    private readonly nint host;
    private readonly nint device;
    private bool disposed;

    internal PageLockedArray1D(Accelerator accelerator, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        this.accelerator = accelerator;
        Length = length;
        if (length == 0)
            return;
        host = accelerator.AllocateHost(checked(length * sizeof(T)), out device);
        System.Runtime.InteropServices.NativeMemory.Clear((void*)host, (nuint)LengthInBytes);
        accelerator.Allocations.Add(device, LengthInBytes);
        accelerator.Adopt(this);
    }

    /// <summary>The number of elements.</summary>
    public long Length { get; }

    /// <summary>The number of elements as an index.</summary>
    public LongIndex1D Extent => Length;

    /// <summary>The elements.</summary>
    public Span<T> Span => new((void*)Address, checked((int)Length));

    /// <summary>The elements as kernels see them.</summary>
    public ArrayView<T> ArrayView
    {
        get
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return new(device, Length);
        }
    }

    internal nint Address
    {
        get
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return host;
        }
    }

    private long LengthInBytes => Length * sizeof(T);

    /// <summary>The element at an index.</summary>
    public ref T this[int index] => ref this[(long)index];

    /// <summary>The element at an index.</summary>
    public ref T this[long index]
    {
        get
        {
            if ((ulong)index >= (ulong)Length)
                throw new ArgumentOutOfRangeException(nameof(index), index, $"The array has {Length} elements.");
            return ref ((T*)Address)[index];
        }
    }

    /// <summary>Frees the memory; wait for the copies that use it first.</summary>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        if (Length == 0)
            return;
        accelerator.Allocations.Remove(device);
        accelerator.FreeHost(host, LengthInBytes);
        accelerator.Release(this);
    }
}
