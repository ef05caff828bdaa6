namespace DeltaKV.Gpu;

/// <summary>A 1D view with a stride; what a buffer's <c>View</c> gives.</summary>
/// <typeparam name="T">The unmanaged element type.</typeparam>
/// <typeparam name="TStride">The stride; see <see cref="Stride1D"/>.</typeparam>
public readonly struct ArrayView1D<T, TStride> : IEquatable<ArrayView1D<T, TStride>>
    where T : unmanaged
    where TStride : struct, IStride1D
{
    internal ArrayView1D(ArrayView<T> baseView, TStride stride)
    {
        BaseView = baseView;
        Stride = stride;
    }

    /// <summary>The underlying contiguous elements.</summary>
    public ArrayView<T> BaseView { get; }

    /// <summary>The stride.</summary>
    public TStride Stride { get; }

    /// <summary>The number of elements.</summary>
    public long Length => BaseView.Length / Stride.StrideExtent;

    /// <summary>The number of elements as a 32-bit number.</summary>
    public int IntLength => BaseView.IntLength / Stride.StrideExtent;

    /// <summary>The number of elements as an index.</summary>
    public LongIndex1D Extent => new(Length);

    /// <summary>The number of elements as a 32-bit index.</summary>
    public Index1D IntExtent => new(IntLength);

    /// <summary>The number of bytes underneath.</summary>
    public long LengthInBytes => BaseView.LengthInBytes;

    /// <summary>The element at an index.</summary>
    public ref T this[int index] => ref BaseView[index * Stride.StrideExtent];

    /// <summary>The element at an index.</summary>
    public ref T this[Index1D index] => ref BaseView[index.X * Stride.StrideExtent];

    /// <summary>The element at a 64-bit index.</summary>
    public ref T this[long index] => ref BaseView[index * Stride.StrideExtent];

    /// <summary>The element at a 64-bit index.</summary>
    public ref T this[LongIndex1D index] => ref BaseView[index.X * Stride.StrideExtent];

    /// <summary>Forgets the stride.</summary>
    public static implicit operator ArrayView<T>(ArrayView1D<T, TStride> view) => view.BaseView;

    /// <summary>Whether two views show the same elements.</summary>
    public static bool operator ==(ArrayView1D<T, TStride> left, ArrayView1D<T, TStride> right) => left.Equals(right);

    /// <summary>Whether two views differ.</summary>
    public static bool operator !=(ArrayView1D<T, TStride> left, ArrayView1D<T, TStride> right) => !left.Equals(right);

    /// <summary>Forgets the stride.</summary>
    public ArrayView<T> ToArrayView() => BaseView;

    /// <summary>The <paramref name="subViewLength"/> elements from <paramref name="index"/> on.</summary>
    public ArrayView1D<T, TStride> SubView(long index, long subViewLength) =>
        new(BaseView.SubView(index * Stride.StrideExtent, subViewLength * Stride.StrideExtent), Stride);

    /// <inheritdoc/>
    public bool Equals(ArrayView1D<T, TStride> other) => BaseView == other.BaseView;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ArrayView1D<T, TStride> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => BaseView.GetHashCode();
}
