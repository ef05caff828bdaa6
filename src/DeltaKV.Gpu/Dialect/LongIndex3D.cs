namespace DeltaKV.Gpu;

/// <summary>A 3-dimensional 64-bit index or extent.</summary>
/// <param name="x">The X component.</param>
/// <param name="y">The Y component.</param>
/// <param name="z">The Z component.</param>
public readonly struct LongIndex3D(long x, long y, long z) : IIndex, IEquatable<LongIndex3D>
{
    /// <summary>The X component.</summary>
    public long X { get; } = x;

    /// <summary>The Y component.</summary>
    public long Y { get; } = y;

    /// <summary>The Z component.</summary>
    public long Z { get; } = z;

    /// <summary>The number of elements of an extent of this size.</summary>
    public long Size => X * Y * Z;

    /// <summary>Wraps a tuple as an index.</summary>
    public static implicit operator LongIndex3D((long, long, long) values) => new(values.Item1, values.Item2, values.Item3);

    /// <summary>Adds component by component.</summary>
    public static LongIndex3D operator +(LongIndex3D left, LongIndex3D right) => new(left.X + right.X, left.Y + right.Y, left.Z + right.Z);

    /// <summary>Subtracts component by component.</summary>
    public static LongIndex3D operator -(LongIndex3D left, LongIndex3D right) => new(left.X - right.X, left.Y - right.Y, left.Z - right.Z);

    /// <summary>Adds component by component.</summary>
    public static LongIndex3D Add(LongIndex3D left, LongIndex3D right) => left + right;

    /// <summary>Subtracts component by component.</summary>
    public static LongIndex3D Subtract(LongIndex3D left, LongIndex3D right) => left - right;

    /// <summary>Compares component by component.</summary>
    public static bool operator ==(LongIndex3D left, LongIndex3D right) => left.X == right.X && left.Y == right.Y && left.Z == right.Z;

    /// <summary>Compares component by component.</summary>
    public static bool operator !=(LongIndex3D left, LongIndex3D right) => !(left == right);

    /// <inheritdoc/>
    public bool Equals(LongIndex3D other) => this == other;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is LongIndex3D other && this == other;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(X, Y, Z);

    /// <inheritdoc/>
    public override string ToString() => $"({X}, {Y}, {Z})";
}
