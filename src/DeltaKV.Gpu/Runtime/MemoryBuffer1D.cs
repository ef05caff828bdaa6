using System.Runtime.CompilerServices;
using DeltaKV.Gpu.Runtime;

namespace DeltaKV.Gpu;

/// <summary>A 1D buffer of device memory.</summary>
/// <typeparam name="T">The element type.</typeparam>
/// <typeparam name="TStride">The stride; see <see cref="Stride1D"/>.</typeparam>
/// <remarks>Copies from and to arrays and spans return when the copy is done; those between buffers are ordered by their stream.</remarks>
public sealed class MemoryBuffer1D<T, TStride> : MemoryBuffer
    where T : unmanaged
    where TStride : struct, IStride1D
{
    private readonly ArrayView1D<T, TStride> view;

    internal MemoryBuffer1D(DeviceAllocation allocation, ArrayView1D<T, TStride> view)
        : base(allocation, view.Length, Unsafe.SizeOf<T>()) => this.view = view;

    /// <summary>All elements; what kernels take.</summary>
    public ArrayView1D<T, TStride> View
    {
        get
        {
            ThrowIfDisposed();
            return view;
        }
    }

    /// <summary>The number of elements as an index.</summary>
    public LongIndex1D Extent => view.Extent;

    /// <summary>The number of elements as a 32-bit index.</summary>
    public Index1D IntExtent => view.IntExtent;

    /// <summary>Sets every byte to zero.</summary>
    public void MemSetToZero() => View.BaseView.MemSetToZero();

    /// <summary>Sets every byte to zero on a stream.</summary>
    public void MemSetToZero(AcceleratorStream stream) => View.BaseView.MemSetToZero(stream);

    /// <summary>Sets every byte on a stream.</summary>
    public void MemSet(AcceleratorStream stream, byte value) => View.BaseView.MemSet(stream, value);

    /// <summary>Copies host elements to the start of the buffer.</summary>
    public void CopyFromCPU(ReadOnlySpan<T> data) => View.BaseView.CopyFromCPU(Accelerator.DefaultStream, data);

    /// <summary>Copies host elements to the start of the buffer.</summary>
    public void CopyFromCPU(AcceleratorStream stream, ReadOnlySpan<T> data) => View.BaseView.CopyFromCPU(stream, data);

    /// <summary>Fills the host elements from the start of the buffer.</summary>
    public void CopyToCPU(Span<T> data) => View.BaseView.CopyToCPU(Accelerator.DefaultStream, data);

    /// <summary>Fills the host elements from the start of the buffer.</summary>
    public void CopyToCPU(AcceleratorStream stream, Span<T> data) => View.BaseView.CopyToCPU(stream, data);

    /// <summary>Copies all elements to the start of another buffer.</summary>
    public void CopyTo(MemoryBuffer1D<T, TStride> target) => CopyTo(Accelerator.DefaultStream, target);

    /// <summary>Copies all elements to the start of another buffer.</summary>
    public void CopyTo(AcceleratorStream stream, MemoryBuffer1D<T, TStride> target)
    {
        ArgumentNullException.ThrowIfNull(target);
        View.BaseView.CopyTo(stream, target.View.BaseView);
    }

    /// <summary>Copies all elements of another buffer to the start of this one.</summary>
    public void CopyFrom(MemoryBuffer1D<T, TStride> source) => CopyFrom(Accelerator.DefaultStream, source);

    /// <summary>Copies all elements of another buffer to the start of this one.</summary>
    public void CopyFrom(AcceleratorStream stream, MemoryBuffer1D<T, TStride> source)
    {
        ArgumentNullException.ThrowIfNull(source);
        source.CopyTo(stream, this);
    }

    /// <summary>A new array of all elements.</summary>
    public T[] GetAsArray1D() => GetAsArray1D(Accelerator.DefaultStream);

    /// <summary>A new array of all elements.</summary>
    public T[] GetAsArray1D(AcceleratorStream stream) => View.BaseView.GetAsArray(stream);

    /// <inheritdoc/>
    public override string ToString() => $"{typeof(T).Name}[{Length}] on {Accelerator.Name}";
}
