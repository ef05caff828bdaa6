namespace DeltaKV.Gpu;

/// <summary>Eight brain floats, 16 bytes: what one thread reads or writes in one access. An extension to ILGPU's dialect.</summary>
public struct BFloat16x8 : IEquatable<BFloat16x8>
{
    /// <summary>Numbers 0 and 1.</summary>
    public BFloat16x2 A;

    /// <summary>Numbers 2 and 3.</summary>
    public BFloat16x2 B;

    /// <summary>Numbers 4 and 5.</summary>
    public BFloat16x2 C;

    /// <summary>Numbers 6 and 7.</summary>
    public BFloat16x2 D;

    /// <summary>Multiplies all eight by a number, rounding once.</summary>
    public static BFloat16x8 operator *(BFloat16x8 left, float right) => new()
    {
        A = BFloat16x2.FromSingles(left.A.Low * right, left.A.High * right),
        B = BFloat16x2.FromSingles(left.B.Low * right, left.B.High * right),
        C = BFloat16x2.FromSingles(left.C.Low * right, left.C.High * right),
        D = BFloat16x2.FromSingles(left.D.Low * right, left.D.High * right),
    };

    /// <summary>Whether all bits are equal.</summary>
    public static bool operator ==(BFloat16x8 left, BFloat16x8 right) =>
        left.A == right.A && left.B == right.B && left.C == right.C && left.D == right.D;

    /// <summary>Whether any bit differs.</summary>
    public static bool operator !=(BFloat16x8 left, BFloat16x8 right) => !(left == right);

    /// <summary>Multiplies all eight by a number, rounding once.</summary>
    public static BFloat16x8 Multiply(BFloat16x8 left, float right) => left * right;

    /// <summary>The sum of the squares.</summary>
    public readonly float SquaredNorm() => Dot(this, 0f);

    /// <summary><c>sum + this . other</c>, accumulated by fused multiply-adds in order.</summary>
    public readonly float Dot(BFloat16x8 other, float sum)
    {
        sum = MathF.FusedMultiplyAdd(A.Low, other.A.Low, sum);
        sum = MathF.FusedMultiplyAdd(A.High, other.A.High, sum);
        sum = MathF.FusedMultiplyAdd(B.Low, other.B.Low, sum);
        sum = MathF.FusedMultiplyAdd(B.High, other.B.High, sum);
        sum = MathF.FusedMultiplyAdd(C.Low, other.C.Low, sum);
        sum = MathF.FusedMultiplyAdd(C.High, other.C.High, sum);
        sum = MathF.FusedMultiplyAdd(D.Low, other.D.Low, sum);
        return MathF.FusedMultiplyAdd(D.High, other.D.High, sum);
    }

    /// <inheritdoc/>
    public readonly bool Equals(BFloat16x8 other) => this == other;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is BFloat16x8 other && this == other;

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(A, B, C, D);
}
