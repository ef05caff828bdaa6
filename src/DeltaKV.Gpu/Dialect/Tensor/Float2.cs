namespace DeltaKV.Gpu;

/// <summary>Two singles, 8 bytes. A view of it is read and written in one access. An extension to ILGPU's dialect.</summary>
/// <param name="x">The X component.</param>
/// <param name="y">The Y component.</param>
public struct Float2(float x, float y) : IEquatable<Float2>
{
    /// <summary>The X component.</summary>
    public float X = x;

    /// <summary>The Y component.</summary>
    public float Y = y;

    /// <summary>Compares component by component.</summary>
    public static bool operator ==(Float2 left, Float2 right) => left.X == right.X && left.Y == right.Y;

    /// <summary>Compares component by component.</summary>
    public static bool operator !=(Float2 left, Float2 right) => !(left == right);

    /// <inheritdoc/>
    public readonly bool Equals(Float2 other) => this == other;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is Float2 other && this == other;

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(X, Y);
}
