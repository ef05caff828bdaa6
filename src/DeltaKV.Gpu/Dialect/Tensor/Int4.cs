namespace DeltaKV.Gpu;

/// <summary>Four 32-bit integers, 16 bytes. A view of it is read and written in one access. An extension to ILGPU's dialect.</summary>
/// <param name="x">The X component.</param>
/// <param name="y">The Y component.</param>
/// <param name="z">The Z component.</param>
/// <param name="w">The W component.</param>
public struct Int4(int x, int y, int z, int w) : IEquatable<Int4>
{
    /// <summary>The X component.</summary>
    public int X = x;

    /// <summary>The Y component.</summary>
    public int Y = y;

    /// <summary>The Z component.</summary>
    public int Z = z;

    /// <summary>The W component.</summary>
    public int W = w;

    /// <summary>Compares component by component.</summary>
    public static bool operator ==(Int4 left, Int4 right) => left.X == right.X && left.Y == right.Y && left.Z == right.Z && left.W == right.W;

    /// <summary>Compares component by component.</summary>
    public static bool operator !=(Int4 left, Int4 right) => !(left == right);

    /// <inheritdoc/>
    public readonly bool Equals(Int4 other) => this == other;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is Int4 other && this == other;

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(X, Y, Z, W);
}
