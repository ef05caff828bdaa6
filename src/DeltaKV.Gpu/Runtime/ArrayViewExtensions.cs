using System.Runtime.CompilerServices;
using DeltaKV.Gpu.Runtime;

namespace DeltaKV.Gpu;

/// <summary>What the host does with a view: set, copy, read back. Without a stream, the owner's default stream is used.</summary>
public static unsafe class ArrayViewExtensions
{
    /// <summary>Sets every byte to zero.</summary>
    public static void MemSetToZero<T>(this ArrayView<T> view)
        where T : unmanaged => view.MemSet(DefaultStreamOf(view), 0);

    /// <summary>Sets every byte to zero.</summary>
    public static void MemSetToZero<T>(this ArrayView<T> view, AcceleratorStream stream)
        where T : unmanaged => view.MemSet(stream, 0);

    /// <summary>Sets every byte.</summary>
    public static void MemSet<T>(this ArrayView<T> view, byte value)
        where T : unmanaged => view.MemSet(DefaultStreamOf(view), value);

    /// <summary>Sets every byte.</summary>
    public static void MemSet<T>(this ArrayView<T> view, AcceleratorStream stream, byte value)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (view.Length == 0)
            return;
        stream.ThrowIfForeign(Accelerator.OwnerOf(view.Pointer, view.LengthInBytes));
        stream.Fill(view.Pointer, value, view.LengthInBytes);
    }

    /// <summary>Copies all elements to the start of another view.</summary>
    public static void CopyTo<T>(this ArrayView<T> source, ArrayView<T> target)
        where T : unmanaged => source.CopyTo(DefaultStreamOf(source), target);

    /// <summary>Copies all elements to the start of another view, of this accelerator or another.</summary>
    public static void CopyTo<T>(this ArrayView<T> source, AcceleratorStream stream, ArrayView<T> target)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (source.Length > target.Length)
            throw new ArgumentOutOfRangeException(nameof(target), target.Length, $"Cannot copy {source.Length} elements into a view of {target.Length}.");
        if (source.Length == 0)
            return;
        var from = Accelerator.OwnerOf(source.Pointer, source.LengthInBytes);
        var to = Accelerator.OwnerOf(target.Pointer, source.LengthInBytes);
        if (!ReferenceEquals(stream.Accelerator, from) && !ReferenceEquals(stream.Accelerator, to))
            stream.ThrowIfForeign(from);
        var direction = (from.AcceleratorType, to.AcceleratorType) switch
        {
            (AcceleratorType.CPU, AcceleratorType.Cuda) => CopyDirection.HostToDevice,
            (AcceleratorType.Cuda, AcceleratorType.CPU) => CopyDirection.DeviceToHost,
            _ => CopyDirection.DeviceToDevice,
        };
        if (direction != CopyDirection.DeviceToDevice && stream.Accelerator.AcceleratorType == AcceleratorType.CPU)
            throw new ArgumentException("A copy between a GPU and the CPU accelerator needs a stream of the GPU.", nameof(stream));
        stream.Copy(target.Pointer, source.Pointer, source.LengthInBytes, direction);
    }

    /// <summary>Copies all elements of another view to the start of this one.</summary>
    public static void CopyFrom<T>(this ArrayView<T> target, ArrayView<T> source)
        where T : unmanaged => source.CopyTo(DefaultStreamOf(target), target);

    /// <summary>Copies all elements of another view to the start of this one.</summary>
    public static void CopyFrom<T>(this ArrayView<T> target, AcceleratorStream stream, ArrayView<T> source)
        where T : unmanaged => source.CopyTo(stream, target);

    /// <summary>Copies host elements to the start of the view and waits.</summary>
    public static void CopyFromCPU<T>(this ArrayView<T> target, AcceleratorStream stream, ReadOnlySpan<T> data)
        where T : unmanaged
    {
        if (Check(target, stream, data.Length) == 0)
            return;
        fixed (T* pointer = data)
        {
            stream.ThrowIfCapturing("a copy from pageable memory");
            stream.Copy(target.Pointer, (nint)pointer, (long)data.Length * sizeof(T), CopyDirection.HostToDevice);
            stream.Synchronize();
        }
    }

    /// <summary>Fills the host elements from the start of the view and waits.</summary>
    public static void CopyToCPU<T>(this ArrayView<T> source, AcceleratorStream stream, Span<T> data)
        where T : unmanaged
    {
        if (Check(source, stream, data.Length) == 0)
            return;
        fixed (T* pointer = data)
        {
            stream.ThrowIfCapturing("a copy to pageable memory");
            stream.Copy((nint)pointer, source.Pointer, (long)data.Length * sizeof(T), CopyDirection.DeviceToHost);
            stream.Synchronize();
        }
    }

    /// <summary>A new array of all elements.</summary>
    public static T[] GetAsArray<T>(this ArrayView<T> view)
        where T : unmanaged => view.Length == 0 ? [] : view.GetAsArray(DefaultStreamOf(view));

    /// <summary>A new array of all elements.</summary>
    public static T[] GetAsArray<T>(this ArrayView<T> view, AcceleratorStream stream)
        where T : unmanaged
    {
        var result = new T[view.Length];
        view.CopyToCPU(stream, result);
        return result;
    }

    /// <summary>Starts a copy of page-locked elements to the start of the view.</summary>
    public static void CopyFromPageLockedAsync<T>(this ArrayView<T> target, AcceleratorStream stream, PageLockedArray1D<T> source)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(source);
        if (Check(target, stream, source.Length) > 0)
            stream.Copy(target.Pointer, source.Address, source.Length * sizeof(T), CopyDirection.HostToDevice);
    }

    /// <summary>Starts a copy of the first <paramref name="count"/> page-locked elements to the start of the view. An extension to ILGPU's API.</summary>
    public static void CopyFromPageLockedAsync<T>(this ArrayView<T> target, AcceleratorStream stream, PageLockedArray1D<T> source, long count)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, source.Length);
        if (Check(target, stream, count) > 0)
            stream.Copy(target.Pointer, source.Address, count * sizeof(T), CopyDirection.HostToDevice);
    }

    /// <summary>Starts a copy from the start of the view to page-locked elements; wait for the stream before reading them.</summary>
    public static void CopyToPageLockedAsync<T>(this ArrayView<T> source, AcceleratorStream stream, PageLockedArray1D<T> target)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(target);
        if (Check(source, stream, target.Length) > 0)
            stream.Copy(target.Address, source.Pointer, target.Length * sizeof(T), CopyDirection.DeviceToHost);
    }

    internal static AcceleratorStream DefaultStreamOf<T>(ArrayView<T> view)
        where T : unmanaged => Accelerator.OwnerOf(view.Pointer, view.LengthInBytes).DefaultStream;

    private static long Check<T>(ArrayView<T> view, AcceleratorStream stream, long count, [CallerArgumentExpression(nameof(count))] string name = "")
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (count > view.Length)
            throw new ArgumentOutOfRangeException(name, count, $"{count} elements do not fit a view of {view.Length}.");
        if (count > 0)
            stream.ThrowIfForeign(Accelerator.OwnerOf(view.Pointer, view.LengthInBytes));
        return count;
    }
}
