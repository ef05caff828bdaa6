namespace DeltaKV.Gpu;

/// <summary>A 2-dimensional 64-bit index or extent.</summary>
/// <param name="x">The X component.</param>
/// <param name="y">The Y component.</param>
public readonly struct LongIndex2D(long x, long y) : IIndex, IEquatable<LongIndex2D>
{
    /// <summary>The X component.</summary>
    public long X { get; } = x;

    /// <summary>The Y component.</summary>
    public long Y { get; } = y;

    /// <summary>The number of elements of an extent of this size.</summary>
    public long Size => X * Y;

    /// <summary>Wraps a tuple as an index.</summary>
    public static implicit operator LongIndex2D((long, long) values) => new(values.Item1, values.Item2);

    /// <summary>Adds component by component.</summary>
    public static LongIndex2D operator +(LongIndex2D left, LongIndex2D right) => new(left.X + right.X, left.Y + right.Y);

    /// <summary>Subtracts component by component.</summary>
    public static LongIndex2D operator -(LongIndex2D left, LongIndex2D right) => new(left.X - right.X, left.Y - right.Y);

    /// <summary>Adds component by component.</summary>
    public static LongIndex2D Add(LongIndex2D left, LongIndex2D right) => left + right;

    /// <summary>Subtracts component by component.</summary>
    public static LongIndex2D Subtract(LongIndex2D left, LongIndex2D right) => left - right;

    /// <summary>Compares component by component.</summary>
    public static bool operator ==(LongIndex2D left, LongIndex2D right) => left.X == right.X && left.Y == right.Y;

    /// <summary>Compares component by component.</summary>
    public static bool operator !=(LongIndex2D left, LongIndex2D right) => !(left == right);

    /// <inheritdoc/>
    public bool Equals(LongIndex2D other) => this == other;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is LongIndex2D other && this == other;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(X, Y);

    /// <inheritdoc/>
    public override string ToString() => $"({X}, {Y})";
}
