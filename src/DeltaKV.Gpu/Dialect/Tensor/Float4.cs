namespace DeltaKV.Gpu;

/// <summary>Four singles, 16 bytes. A view of it is read and written in one access. An extension to ILGPU's dialect.</summary>
/// <param name="x">The X component.</param>
/// <param name="y">The Y component.</param>
/// <param name="z">The Z component.</param>
/// <param name="w">The W component.</param>
public struct Float4(float x, float y, float z, float w) : IEquatable<Float4>
{
    /// <summary>The X component.</summary>
    public float X = x;

    /// <summary>The Y component.</summary>
    public float Y = y;

    /// <summary>The Z component.</summary>
    public float Z = z;

    /// <summary>The W component.</summary>
    public float W = w;

    /// <summary>Compares component by component.</summary>
    public static bool operator ==(Float4 left, Float4 right) => left.X == right.X && left.Y == right.Y && left.Z == right.Z && left.W == right.W;

    /// <summary>Compares component by component.</summary>
    public static bool operator !=(Float4 left, Float4 right) => !(left == right);

    /// <inheritdoc/>
    public readonly bool Equals(Float4 other) => this == other;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is Float4 other && this == other;

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(X, Y, Z, W);
}
