namespace DeltaKV.Gpu;

/// <summary>A 3-dimensional 32-bit index or extent.</summary>
/// <param name="x">The X component.</param>
/// <param name="y">The Y component.</param>
/// <param name="z">The Z component.</param>
public readonly struct Index3D(int x, int y, int z) : IIndex, IEquatable<Index3D>
{
    /// <summary>The X component.</summary>
    public int X { get; } = x;

    /// <summary>The Y component.</summary>
    public int Y { get; } = y;

    /// <summary>The Z component.</summary>
    public int Z { get; } = z;

    /// <summary>The number of elements of an extent of this size.</summary>
    public long LongSize => (long)X * Y * Z;

    /// <summary>The number of elements of an extent of this size as a 32-bit number.</summary>
    public int Size => (int)LongSize;

    /// <inheritdoc/>
    long IIndex.Size => LongSize;

    /// <summary>Wraps a tuple as an index.</summary>
    public static implicit operator Index3D((int, int, int) values) => new(values.Item1, values.Item2, values.Item3);

    /// <summary>Adds component by component.</summary>
    public static Index3D operator +(Index3D left, Index3D right) => new(left.X + right.X, left.Y + right.Y, left.Z + right.Z);

    /// <summary>Subtracts component by component.</summary>
    public static Index3D operator -(Index3D left, Index3D right) => new(left.X - right.X, left.Y - right.Y, left.Z - right.Z);

    /// <summary>Adds component by component.</summary>
    public static Index3D Add(Index3D left, Index3D right) => left + right;

    /// <summary>Subtracts component by component.</summary>
    public static Index3D Subtract(Index3D left, Index3D right) => left - right;

    /// <summary>Compares component by component.</summary>
    public static bool operator ==(Index3D left, Index3D right) => left.X == right.X && left.Y == right.Y && left.Z == right.Z;

    /// <summary>Compares component by component.</summary>
    public static bool operator !=(Index3D left, Index3D right) => !(left == right);

    /// <inheritdoc/>
    public bool Equals(Index3D other) => this == other;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Index3D other && this == other;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(X, Y, Z);

    /// <inheritdoc/>
    public override string ToString() => $"({X}, {Y}, {Z})";
}
