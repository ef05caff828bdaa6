using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>A 16-bit float format, in the low half of 32-bit lanes.</summary>
internal interface IHalfFormat
{
    /// <summary>Widens; bits above the low 16 of the input must be zero.</summary>
    static abstract Vector512<float> ToSingle(Vector512<uint> bits);

    /// <summary>Rounds to nearest even; NaN becomes the canonical 0x7FFF, as on the hardware.</summary>
    static abstract Vector512<uint> FromSingle(Vector512<float> value);

    static abstract double ToDouble(ushort bits);

    static abstract ushort FromDouble(double value, RoundingMode mode);
}

internal enum RoundingMode
{
    NearestEven,
    TowardZero,
    Down,
    Up,
}

internal readonly struct BFloat16Format : IHalfFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToSingle(Vector512<uint> bits) => (bits << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> FromSingle(Vector512<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = (bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512<uint>.One)) >> 16;
        return Vector512.ConditionalSelect(Vector512.Equals(value, value).AsUInt32(), rounded, Vector512.Create(0x7FFFu));
    }

    public static double ToDouble(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    public static ushort FromDouble(double value, RoundingMode mode)
    {
        if (double.IsNaN(value))
            return 0x7FFF;
        if (double.IsInfinity(value))
            return value > 0 ? (ushort)0x7F80 : (ushort)0xFF80;

        // Truncating to a float with a sticky last bit keeps the second rounding from seeing a tie that is none.
        var bits = BitConverter.SingleToUInt32Bits(ScalarRounding.To<float>(value, RoundingMode.TowardZero));
        var exact = BitConverter.UInt32BitsToSingle(bits) == value;
        bits |= exact ? 0u : 1u;
        var rest = bits & 0xFFFF;
        var up = mode switch
        {
            RoundingMode.NearestEven => rest > 0x8000 || (rest == 0x8000 && (bits & 0x10000) != 0),
            RoundingMode.Down => rest != 0 && value < 0,
            RoundingMode.Up => rest != 0 && value > 0,
            _ => false,
        };
        return (ushort)((bits >> 16) + (up ? 1u : 0));
    }
}

internal readonly struct Float16Format : IHalfFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToSingle(Vector512<uint> bits)
    {
        // Shift the exponent into place and rescale; denormals become normal in the multiplication.
        var magnitude = (bits & Vector512.Create(0x7FFFu)) << 13;
        var value = (magnitude.AsSingle() * Vector512.Create(BitConverter.UInt32BitsToSingle(0x7780_0000))).AsUInt32();
        var special = Vector512.GreaterThanOrEqual(magnitude, Vector512.Create(0x7C00u << 13)) & Vector512.Create(0x7F80_0000u);
        return (value | special | ((bits & Vector512.Create(0x8000u)) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> FromSingle(Vector512<float> value)
    {
        var all = value.AsUInt32();
        var sign = all & Vector512.Create(0x8000_0000u);
        var bits = all ^ sign;
        var normal = (bits + Vector512.Create(0xC800_0FFFu) + ((bits >> 13) & Vector512<uint>.One)) >> 13;
        var magic = Vector512.Create(0x3F00_0000u);
        var small = (bits.AsSingle() + magic.AsSingle()).AsUInt32() - magic;
        var result = Vector512.ConditionalSelect(Vector512.LessThan(bits, Vector512.Create(113u << 23)), small, normal);
        result = Vector512.ConditionalSelect(
            Vector512.GreaterThanOrEqual(bits, Vector512.Create(143u << 23)), Vector512.Create(0x7C00u), result);
        result |= sign >> 16;
        return Vector512.ConditionalSelect(Vector512.Equals(value, value).AsUInt32(), result, Vector512.Create(0x7FFFu));
    }

    public static double ToDouble(ushort bits) => (double)BitConverter.UInt16BitsToHalf(bits);

    public static ushort FromDouble(double value, RoundingMode mode) =>
        double.IsNaN(value) ? (ushort)0x7FFF : BitConverter.HalfToUInt16Bits(ScalarRounding.To<System.Half>(value, mode));
}

/// <summary>Directed roundings that .NET's conversions do not have.</summary>
internal static class ScalarRounding
{
    public static T To<T>(double value, RoundingMode mode)
        where T : IFloatingPointIeee754<T>
    {
        var nearest = T.CreateTruncating(value);
        var back = double.CreateTruncating(nearest);
        var down = mode == RoundingMode.Down || (mode == RoundingMode.TowardZero && value > 0);
        var up = mode == RoundingMode.Up || (mode == RoundingMode.TowardZero && value < 0);
        if (down && back > value)
            return T.BitDecrement(nearest);
        return up && back < value ? T.BitIncrement(nearest) : nearest;
    }
}

/// <summary>An operation on both halves of a packed register; a scalar one ignores what happens above.</summary>
internal readonly struct HalfPair<TFormat, TOperation> : IBinaryOperation<uint>
    where TFormat : struct, IHalfFormat
    where TOperation : struct, IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> left, Vector512<uint> right)
    {
        var mask = Vector512.Create(0xFFFFu);
        var low = TOperation.Apply(TFormat.ToSingle(left & mask), TFormat.ToSingle(right & mask));
        var high = TOperation.Apply(TFormat.ToSingle(left >> 16), TFormat.ToSingle(right >> 16));
        return TFormat.FromSingle(low) | (TFormat.FromSingle(high) << 16);
    }
}

internal readonly struct HalfPairUnary<TFormat, TOperation> : IUnaryOperation<uint, uint>
    where TFormat : struct, IHalfFormat
    where TOperation : struct, IUnaryOperation<float, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> value)
    {
        var low = TOperation.Apply(TFormat.ToSingle(value & Vector512.Create(0xFFFFu)));
        var high = TOperation.Apply(TFormat.ToSingle(value >> 16));
        return TFormat.FromSingle(low) | (TFormat.FromSingle(high) << 16);
    }
}

/// <summary>Fused multiply-add of packed halves, rounded once: products and sums are exact enough in double.</summary>
internal readonly struct HalfFusedMultiplyAdd<TFormat> : ILaneTernary<uint, uint, uint, uint>
    where TFormat : struct, IHalfFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a, uint b, uint c) =>
        Half((ushort)a, (ushort)b, (ushort)c) | ((uint)Half((ushort)(a >> 16), (ushort)(b >> 16), (ushort)(c >> 16)) << 16);

    private static ushort Half(ushort a, ushort b, ushort c) => TFormat.FromDouble(
        (TFormat.ToDouble(a) * TFormat.ToDouble(b)) + TFormat.ToDouble(c), RoundingMode.NearestEven);
}

internal readonly struct HalfNegate : IUnaryOperation<uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> value) => value ^ Vector512.Create(0x8000_8000u);
}

internal readonly struct HalfAbsolute : IUnaryOperation<uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> value) => value & Vector512.Create(0x7FFF_7FFFu);
}

/// <summary>mov.b32 {lower, upper}.</summary>
internal readonly struct JoinHalves : IBinaryOperation<uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> left, Vector512<uint> right) =>
        (left & Vector512.Create(0xFFFFu)) | (right << 16);
}

/// <summary>Packs two floats; the first operand goes to the upper half, as cvt does it.</summary>
internal readonly struct PackHalves<TFormat> : IBinaryOperation<uint>
    where TFormat : struct, IHalfFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> left, Vector512<uint> right) =>
        (TFormat.FromSingle(left.AsSingle()) << 16) | TFormat.FromSingle(right.AsSingle());
}

internal readonly struct HalfToSingle<TFormat> : IUnaryOperation<uint, float>
    where TFormat : struct, IHalfFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<uint> value) => TFormat.ToSingle(value & Vector512.Create(0xFFFFu));
}

internal readonly struct SingleToHalf<TFormat> : IUnaryOperation<float, uint>
    where TFormat : struct, IHalfFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<float> value) => TFormat.FromSingle(value);
}
