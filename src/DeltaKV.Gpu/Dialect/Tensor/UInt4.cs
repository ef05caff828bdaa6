namespace DeltaKV.Gpu;

/// <summary>Four 32-bit words, 16 bytes. A view of it is read and written in one access. An extension to ILGPU's dialect.</summary>
/// <param name="x">The X component.</param>
/// <param name="y">The Y component.</param>
/// <param name="z">The Z component.</param>
/// <param name="w">The W component.</param>
public struct UInt4(uint x, uint y, uint z, uint w) : IEquatable<UInt4>
{
    /// <summary>The X component.</summary>
    public uint X = x;

    /// <summary>The Y component.</summary>
    public uint Y = y;

    /// <summary>The Z component.</summary>
    public uint Z = z;

    /// <summary>The W component.</summary>
    public uint W = w;

    /// <summary>Compares component by component.</summary>
    public static bool operator ==(UInt4 left, UInt4 right) => left.X == right.X && left.Y == right.Y && left.Z == right.Z && left.W == right.W;

    /// <summary>Compares component by component.</summary>
    public static bool operator !=(UInt4 left, UInt4 right) => !(left == right);

    /// <inheritdoc/>
    public readonly bool Equals(UInt4 other) => this == other;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is UInt4 other && this == other;

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(X, Y, Z, W);
}
