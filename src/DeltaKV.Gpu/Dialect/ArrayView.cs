using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu;

/// <summary>A typed window on device memory: a pointer and a length. Indexing is not bounds-checked outside the emulator's sanitizer.</summary>
/// <typeparam name="T">The unmanaged element type; addresses are assumed to be aligned to its size.</typeparam>
public readonly unsafe struct ArrayView<T> : IEquatable<ArrayView<T>>
    where T : unmanaged
{
    private readonly nint pointer;
    private readonly long length;

    internal ArrayView(nint pointer, long length)
    {
        this.pointer = pointer;
        this.length = length;
    }

    /// <summary>The size of an element in bytes.</summary>
    public static int ElementSize => sizeof(T);

    /// <summary>A view of nothing.</summary>
    public static ArrayView<T> Empty => default;

    /// <summary>The number of elements.</summary>
    public long Length => length;

    /// <summary>The number of elements as a 32-bit number.</summary>
    public int IntLength => (int)length;

    /// <summary>The number of elements as an index.</summary>
    public LongIndex1D Extent => new(Length);

    /// <summary>The number of elements as a 32-bit index.</summary>
    public Index1D IntExtent => new(IntLength);

    /// <summary>The number of bytes.</summary>
    public long LengthInBytes => Length * sizeof(T);

    /// <summary>Whether the view has any element.</summary>
    public bool IsValid => Length > 0;

    /// <summary>The device address of the first element.</summary>
    internal nint Pointer => pointer;

    /// <summary>The element at an index.</summary>
    public ref T this[int index] => ref Unsafe.Add(ref Unsafe.AsRef<T>((void*)pointer), index);

    /// <summary>The element at a 64-bit index.</summary>
    public ref T this[long index] => ref Unsafe.Add(ref Unsafe.AsRef<T>((void*)pointer), (nint)index);

    /// <summary>The element at an index.</summary>
    public ref T this[Index1D index] => ref this[index.X];

    /// <summary>The element at a 64-bit index.</summary>
    public ref T this[LongIndex1D index] => ref this[index.X];

    /// <summary>Whether two views show the same elements.</summary>
    public static bool operator ==(ArrayView<T> left, ArrayView<T> right) => left.Equals(right);

    /// <summary>Whether two views differ.</summary>
    public static bool operator !=(ArrayView<T> left, ArrayView<T> right) => !left.Equals(right);

    /// <summary>The elements from <paramref name="index"/> on.</summary>
    public ArrayView<T> SubView(long index) => new(pointer + (nint)(index * sizeof(T)), length - index);

    /// <summary>The <paramref name="subViewLength"/> elements from <paramref name="index"/> on.</summary>
    public ArrayView<T> SubView(int index, int subViewLength) => new(pointer + ((nint)index * sizeof(T)), subViewLength);

    /// <summary>The <paramref name="subViewLength"/> elements from <paramref name="index"/> on.</summary>
    public ArrayView<T> SubView(long index, long subViewLength) => new(pointer + (nint)(index * sizeof(T)), subViewLength);

    /// <summary>The same bytes as elements of another type.</summary>
    public ArrayView<TOther> Cast<TOther>()
        where TOther : unmanaged => new(pointer, length * sizeof(T) / sizeof(TOther));

    /// <inheritdoc/>
    public bool Equals(ArrayView<T> other) => pointer == other.pointer && length == other.length;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ArrayView<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(pointer, length);

    /// <inheritdoc/>
    public override string ToString() => $"ArrayView<{typeof(T).Name}>[{length}] at 0x{pointer:x}";
}
