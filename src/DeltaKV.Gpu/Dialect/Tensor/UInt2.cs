namespace DeltaKV.Gpu;

/// <summary>Two 32-bit words, 8 bytes. A view of it is read and written in one access. An extension to ILGPU's dialect.</summary>
/// <param name="x">The X component.</param>
/// <param name="y">The Y component.</param>
public struct UInt2(uint x, uint y) : IEquatable<UInt2>
{
    /// <summary>The X component.</summary>
    public uint X = x;

    /// <summary>The Y component.</summary>
    public uint Y = y;

    /// <summary>Compares component by component.</summary>
    public static bool operator ==(UInt2 left, UInt2 right) => left.X == right.X && left.Y == right.Y;

    /// <summary>Compares component by component.</summary>
    public static bool operator !=(UInt2 left, UInt2 right) => !(left == right);

    /// <inheritdoc/>
    public readonly bool Equals(UInt2 other) => this == other;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is UInt2 other && this == other;

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(X, Y);
}
