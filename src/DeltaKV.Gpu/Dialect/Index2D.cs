namespace DeltaKV.Gpu;

/// <summary>A 2-dimensional 32-bit index or extent.</summary>
/// <param name="x">The X component.</param>
/// <param name="y">The Y component.</param>
public readonly struct Index2D(int x, int y) : IIndex, IEquatable<Index2D>
{
    /// <summary>The X component.</summary>
    public int X { get; } = x;

    /// <summary>The Y component.</summary>
    public int Y { get; } = y;

    /// <summary>The number of elements of an extent of this size.</summary>
    public long LongSize => (long)X * Y;

    /// <summary>The number of elements of an extent of this size as a 32-bit number.</summary>
    public int Size => (int)LongSize;

    /// <inheritdoc/>
    long IIndex.Size => LongSize;

    /// <summary>Wraps a tuple as an index.</summary>
    public static implicit operator Index2D((int, int) values) => new(values.Item1, values.Item2);

    /// <summary>Adds component by component.</summary>
    public static Index2D operator +(Index2D left, Index2D right) => new(left.X + right.X, left.Y + right.Y);

    /// <summary>Subtracts component by component.</summary>
    public static Index2D operator -(Index2D left, Index2D right) => new(left.X - right.X, left.Y - right.Y);

    /// <summary>Adds component by component.</summary>
    public static Index2D Add(Index2D left, Index2D right) => left + right;

    /// <summary>Subtracts component by component.</summary>
    public static Index2D Subtract(Index2D left, Index2D right) => left - right;

    /// <summary>Compares component by component.</summary>
    public static bool operator ==(Index2D left, Index2D right) => left.X == right.X && left.Y == right.Y;

    /// <summary>Compares component by component.</summary>
    public static bool operator !=(Index2D left, Index2D right) => !(left == right);

    /// <inheritdoc/>
    public bool Equals(Index2D other) => this == other;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Index2D other && this == other;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(X, Y);

    /// <inheritdoc/>
    public override string ToString() => $"({X}, {Y})";
}
