namespace DeltaKV.Gpu;

/// <summary>A 1-dimensional 32-bit index or extent.</summary>
/// <param name="x">The X component.</param>
public readonly struct Index1D(int x) : IIndex, IEquatable<Index1D>
{
    /// <summary>The X component.</summary>
    public int X { get; } = x;

    /// <summary>The number of elements of an extent of this size.</summary>
    public long LongSize => (long)X;

    /// <summary>The number of elements of an extent of this size as a 32-bit number.</summary>
    public int Size => (int)LongSize;

    /// <inheritdoc/>
    long IIndex.Size => LongSize;

    /// <summary>Wraps a number as an index.</summary>
    public static implicit operator Index1D(int value) => new(value);

    /// <summary>Unwraps the index.</summary>
    public static implicit operator int(Index1D index) => index.X;

    /// <summary>Compares component by component.</summary>
    public static bool operator ==(Index1D left, Index1D right) => left.X == right.X;

    /// <summary>Compares component by component.</summary>
    public static bool operator !=(Index1D left, Index1D right) => !(left == right);

    /// <inheritdoc/>
    public bool Equals(Index1D other) => this == other;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Index1D other && this == other;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(X);

    /// <inheritdoc/>
    public override string ToString() => $"{X}";
}
