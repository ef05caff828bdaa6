using System.Globalization;

namespace DeltaKV.Gpu;

/// <summary>A brain float: the upper half of a single (8 exponent, 7 fraction bits). An extension to ILGPU's dialect. Arithmetic is done in single precision and rounded once.</summary>
public readonly struct BFloat16 : IEquatable<BFloat16>, IComparable<BFloat16>
{
    private BFloat16(ushort bits) => Bits = bits;

    /// <summary>The 16 bits.</summary>
    public ushort Bits { get; }

    /// <summary>The number with these bits.</summary>
    public static BFloat16 FromBits(ushort bits) => new(bits);

    /// <summary>Rounds to the nearest, ties to even; NaN stays NaN.</summary>
    public static BFloat16 FromSingle(float value) => new(RoundToBits(value));

    /// <summary>The exact value in single precision.</summary>
    public float ToSingle() => BitConverter.UInt32BitsToSingle((uint)Bits << 16);

    /// <summary>Widens exactly.</summary>
    public static implicit operator float(BFloat16 value) => value.ToSingle();

    /// <summary>Rounds to the nearest, ties to even.</summary>
    public static explicit operator BFloat16(float value) => FromSingle(value);

    /// <summary>Adds.</summary>
    public static BFloat16 operator +(BFloat16 left, BFloat16 right) => FromSingle(left.ToSingle() + right.ToSingle());

    /// <summary>Subtracts.</summary>
    public static BFloat16 operator -(BFloat16 left, BFloat16 right) => FromSingle(left.ToSingle() - right.ToSingle());

    /// <summary>Multiplies.</summary>
    public static BFloat16 operator *(BFloat16 left, BFloat16 right) => FromSingle(left.ToSingle() * right.ToSingle());

    /// <summary>Divides.</summary>
    public static BFloat16 operator /(BFloat16 left, BFloat16 right) => FromSingle(left.ToSingle() / right.ToSingle());

    /// <summary>Changes the sign, of NaN too.</summary>
    public static BFloat16 operator -(BFloat16 value) => new((ushort)(value.Bits ^ 0x8000));

    /// <summary>Whether the numbers are equal; NaN equals nothing.</summary>
    public static bool operator ==(BFloat16 left, BFloat16 right) => left.ToSingle() == right.ToSingle();

    /// <summary>Whether the numbers differ.</summary>
    public static bool operator !=(BFloat16 left, BFloat16 right) => left.ToSingle() != right.ToSingle();

    /// <summary>Whether left is the smaller.</summary>
    public static bool operator <(BFloat16 left, BFloat16 right) => left.ToSingle() < right.ToSingle();

    /// <summary>Whether left is the larger.</summary>
    public static bool operator >(BFloat16 left, BFloat16 right) => left.ToSingle() > right.ToSingle();

    /// <summary>Whether left is not the larger.</summary>
    public static bool operator <=(BFloat16 left, BFloat16 right) => left.ToSingle() <= right.ToSingle();

    /// <summary>Whether left is not the smaller.</summary>
    public static bool operator >=(BFloat16 left, BFloat16 right) => left.ToSingle() >= right.ToSingle();

    /// <summary>Adds.</summary>
    public static BFloat16 Add(BFloat16 left, BFloat16 right) => left + right;

    /// <summary>Subtracts.</summary>
    public static BFloat16 Subtract(BFloat16 left, BFloat16 right) => left - right;

    /// <summary>Multiplies.</summary>
    public static BFloat16 Multiply(BFloat16 left, BFloat16 right) => left * right;

    /// <summary>Divides.</summary>
    public static BFloat16 Divide(BFloat16 left, BFloat16 right) => left / right;

    /// <summary>Changes the sign.</summary>
    public static BFloat16 Negate(BFloat16 value) => -value;

    /// <inheritdoc/>
    public int CompareTo(BFloat16 other) => ToSingle().CompareTo(other.ToSingle());

    /// <inheritdoc/>
    public bool Equals(BFloat16 other) => ToSingle().Equals(other.ToSingle());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ToSingle().GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => ToSingle().ToString(CultureInfo.InvariantCulture);

    [PtxInstruction("cvt.rn.bf16.f32 {r0}, {0};", Pure = true)]
    private static ushort RoundToBits(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7fff : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }
}
