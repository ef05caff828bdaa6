namespace DeltaKV.Gpu;

/// <summary>A 1-dimensional 64-bit index or extent.</summary>
/// <param name="x">The X component.</param>
public readonly struct LongIndex1D(long x) : IIndex, IEquatable<LongIndex1D>
{
    /// <summary>The X component.</summary>
    public long X { get; } = x;

    /// <summary>The number of elements of an extent of this size.</summary>
    public long Size => X;

    /// <summary>Wraps a number as an index.</summary>
    public static implicit operator LongIndex1D(long value) => new(value);

    /// <summary>Unwraps the index.</summary>
    public static implicit operator long(LongIndex1D index) => index.X;

    /// <summary>Widens a 32-bit index.</summary>
    public static implicit operator LongIndex1D(Index1D index) => new(index.X);

    /// <summary>Compares component by component.</summary>
    public static bool operator ==(LongIndex1D left, LongIndex1D right) => left.X == right.X;

    /// <summary>Compares component by component.</summary>
    public static bool operator !=(LongIndex1D left, LongIndex1D right) => !(left == right);

    /// <inheritdoc/>
    public bool Equals(LongIndex1D other) => this == other;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is LongIndex1D other && this == other;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(X);

    /// <inheritdoc/>
    public override string ToString() => $"{X}";
}
