using System.Globalization;

namespace DeltaKV.Gpu;

/// <summary>An IEEE half: 5 exponent, 10 fraction bits. Arithmetic is done in single precision and rounded once.</summary>
public readonly struct Half : IEquatable<Half>, IComparable<Half>
{
    private Half(ushort bits) => Bits = bits;

    /// <summary>The 16 bits.</summary>
    public ushort Bits { get; }

    /// <summary>The number with these bits.</summary>
    public static Half FromBits(ushort bits) => new(bits);

    /// <summary>Rounds to the nearest, ties to even; NaN stays NaN.</summary>
    public static Half FromSingle(float value) => new(RoundToBits(value));

    /// <summary>The exact value in single precision.</summary>
    public float ToSingle() => Widen(Bits);

    /// <summary>Widens exactly.</summary>
    public static implicit operator float(Half value) => value.ToSingle();

    /// <summary>Rounds to the nearest, ties to even.</summary>
    public static explicit operator Half(float value) => FromSingle(value);

    /// <summary>Adds.</summary>
    public static Half operator +(Half left, Half right) => FromSingle(left.ToSingle() + right.ToSingle());

    /// <summary>Subtracts.</summary>
    public static Half operator -(Half left, Half right) => FromSingle(left.ToSingle() - right.ToSingle());

    /// <summary>Multiplies.</summary>
    public static Half operator *(Half left, Half right) => FromSingle(left.ToSingle() * right.ToSingle());

    /// <summary>Divides.</summary>
    public static Half operator /(Half left, Half right) => FromSingle(left.ToSingle() / right.ToSingle());

    /// <summary>Changes the sign, of NaN too.</summary>
    public static Half operator -(Half value) => new((ushort)(value.Bits ^ 0x8000));

    /// <summary>Whether the numbers are equal; NaN equals nothing.</summary>
    public static bool operator ==(Half left, Half right) => left.ToSingle() == right.ToSingle();

    /// <summary>Whether the numbers differ.</summary>
    public static bool operator !=(Half left, Half right) => left.ToSingle() != right.ToSingle();

    /// <summary>Whether left is the smaller.</summary>
    public static bool operator <(Half left, Half right) => left.ToSingle() < right.ToSingle();

    /// <summary>Whether left is the larger.</summary>
    public static bool operator >(Half left, Half right) => left.ToSingle() > right.ToSingle();

    /// <summary>Whether left is not the larger.</summary>
    public static bool operator <=(Half left, Half right) => left.ToSingle() <= right.ToSingle();

    /// <summary>Whether left is not the smaller.</summary>
    public static bool operator >=(Half left, Half right) => left.ToSingle() >= right.ToSingle();

    /// <summary>Adds.</summary>
    public static Half Add(Half left, Half right) => left + right;

    /// <summary>Subtracts.</summary>
    public static Half Subtract(Half left, Half right) => left - right;

    /// <summary>Multiplies.</summary>
    public static Half Multiply(Half left, Half right) => left * right;

    /// <summary>Divides.</summary>
    public static Half Divide(Half left, Half right) => left / right;

    /// <summary>Changes the sign.</summary>
    public static Half Negate(Half value) => -value;

    /// <inheritdoc/>
    public int CompareTo(Half other) => ToSingle().CompareTo(other.ToSingle());

    /// <inheritdoc/>
    public bool Equals(Half other) => ToSingle().Equals(other.ToSingle());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Half other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ToSingle().GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => ToSingle().ToString(CultureInfo.InvariantCulture);

    [PtxInstruction("cvt.rn.f16.f32 {r0}, {0};", Pure = true)]
    private static ushort RoundToBits(float value) => BitConverter.HalfToUInt16Bits((System.Half)value);

    [PtxInstruction("cvt.f32.f16 {r0}, {0};", Pure = true)]
    private static float Widen(ushort bits) => (float)BitConverter.UInt16BitsToHalf(bits);
}
