namespace DeltaKV.Gpu;

/// <summary>What the host does with the view of a buffer; see <see cref="ArrayViewExtensions"/>.</summary>
public static class ArrayView1DExtensions
{
    /// <summary>Sets every byte to zero.</summary>
    public static void MemSetToZero<T>(this ArrayView1D<T, Stride1D.Dense> view)
        where T : unmanaged => view.BaseView.MemSetToZero();

    /// <summary>Sets every byte to zero.</summary>
    public static void MemSetToZero<T>(this ArrayView1D<T, Stride1D.Dense> view, AcceleratorStream stream)
        where T : unmanaged => view.BaseView.MemSetToZero(stream);

    /// <summary>Sets every byte.</summary>
    public static void MemSet<T>(this ArrayView1D<T, Stride1D.Dense> view, AcceleratorStream stream, byte value)
        where T : unmanaged => view.BaseView.MemSet(stream, value);

    /// <summary>Copies all elements to the start of another view.</summary>
    public static void CopyTo<T>(this ArrayView1D<T, Stride1D.Dense> source, ArrayView1D<T, Stride1D.Dense> target)
        where T : unmanaged => source.BaseView.CopyTo(target.BaseView);

    /// <summary>Copies all elements to the start of another view.</summary>
    public static void CopyTo<T>(this ArrayView1D<T, Stride1D.Dense> source, AcceleratorStream stream, ArrayView1D<T, Stride1D.Dense> target)
        where T : unmanaged => source.BaseView.CopyTo(stream, target.BaseView);

    /// <summary>Copies all elements of another view to the start of this one.</summary>
    public static void CopyFrom<T>(this ArrayView1D<T, Stride1D.Dense> target, ArrayView1D<T, Stride1D.Dense> source)
        where T : unmanaged => target.BaseView.CopyFrom(source.BaseView);

    /// <summary>Copies all elements of another view to the start of this one.</summary>
    public static void CopyFrom<T>(this ArrayView1D<T, Stride1D.Dense> target, AcceleratorStream stream, ArrayView1D<T, Stride1D.Dense> source)
        where T : unmanaged => target.BaseView.CopyFrom(stream, source.BaseView);

    /// <summary>Copies host elements to the start of the view and waits.</summary>
    public static void CopyFromCPU<T>(this ArrayView1D<T, Stride1D.Dense> target, T[] data)
        where T : unmanaged => target.BaseView.CopyFromCPU(ArrayViewExtensions.DefaultStreamOf(target.BaseView), data);

    /// <summary>Copies host elements to the start of the view and waits.</summary>
    public static void CopyFromCPU<T>(this ArrayView1D<T, Stride1D.Dense> target, AcceleratorStream stream, ReadOnlySpan<T> data)
        where T : unmanaged => target.BaseView.CopyFromCPU(stream, data);

    /// <summary>Fills the host elements from the start of the view and waits.</summary>
    public static void CopyToCPU<T>(this ArrayView1D<T, Stride1D.Dense> source, T[] data)
        where T : unmanaged => source.BaseView.CopyToCPU(ArrayViewExtensions.DefaultStreamOf(source.BaseView), data);

    /// <summary>Fills the host elements from the start of the view and waits.</summary>
    public static void CopyToCPU<T>(this ArrayView1D<T, Stride1D.Dense> source, AcceleratorStream stream, Span<T> data)
        where T : unmanaged => source.BaseView.CopyToCPU(stream, data);

    /// <summary>A new array of all elements.</summary>
    public static T[] GetAsArray1D<T>(this ArrayView1D<T, Stride1D.Dense> view)
        where T : unmanaged => view.BaseView.GetAsArray();

    /// <summary>A new array of all elements.</summary>
    public static T[] GetAsArray1D<T>(this ArrayView1D<T, Stride1D.Dense> view, AcceleratorStream stream)
        where T : unmanaged => view.BaseView.GetAsArray(stream);

    /// <summary>Starts a copy of page-locked elements to the start of the view.</summary>
    public static void CopyFromPageLockedAsync<T>(this ArrayView1D<T, Stride1D.Dense> target, AcceleratorStream stream, PageLockedArray1D<T> source)
        where T : unmanaged => target.BaseView.CopyFromPageLockedAsync(stream, source);

    /// <summary>Starts a copy from the start of the view to page-locked elements; wait for the stream before reading them.</summary>
    public static void CopyToPageLockedAsync<T>(this ArrayView1D<T, Stride1D.Dense> source, AcceleratorStream stream, PageLockedArray1D<T> target)
        where T : unmanaged => source.BaseView.CopyToPageLockedAsync(stream, target);
}
