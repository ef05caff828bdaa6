using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Compiler.Ir;

/// <summary>Computes operations on constants exactly as .NET (and the emitted PTX) does.</summary>
internal static class ConstantFolder
{
    /// <summary>The bits of the result, or null when it must be left to run time.</summary>
    public static long? Binary(Op op, IrType type, long a, long b) => type switch
    {
        IrType.F32 => Single(op, BitConverter.Int32BitsToSingle((int)a), BitConverter.Int32BitsToSingle((int)b)) is { } single
            ? BitConverter.SingleToUInt32Bits(single)
            : null,
        IrType.F64 => Double(op, BitConverter.Int64BitsToDouble(a), BitConverter.Int64BitsToDouble(b)) is { } number
            ? BitConverter.DoubleToInt64Bits(number)
            : null,
        IrType.Pred => Logic(op, a, b) & 1,
        IrType.I32 => Integer<int, uint>(op, a, b),
        IrType.I64 => Integer<long, ulong>(op, a, b),
        _ => null,
    };

    public static bool Compare(Condition condition, IrType type, long a, long b) => type switch
    {
        IrType.F32 => CompareFloat(condition, BitConverter.Int32BitsToSingle((int)a), BitConverter.Int32BitsToSingle((int)b)),
        IrType.F64 => CompareFloat(condition, BitConverter.Int64BitsToDouble(a), BitConverter.Int64BitsToDouble(b)),
        _ => CompareInteger(condition, a, b, type),
    };

    /// <summary>The bits of a one-operand operation or conversion, or null.</summary>
    public static long? Unary(Op op, IrType from, IrType to, long bits)
    {
        if (from is IrType.F32 or IrType.F64)
            return UnaryFloat(op, from, to, bits);
        return op switch
        {
            Op.Neg => from == IrType.I32 ? -(int)bits : -bits,
            Op.Not => from == IrType.Pred ? bits ^ 1 : ~bits,
            Op.Abs => from == IrType.I32 ? ((int)bits < 0 ? -(int)bits : (int)bits) : (bits < 0 ? -bits : bits),
            Op.PopCount => from == IrType.I32 ? BitOperations.PopCount((uint)bits) : BitOperations.PopCount((ulong)bits),
            Op.LeadingZeros => from == IrType.I32 ? BitOperations.LeadingZeroCount((uint)bits) : BitOperations.LeadingZeroCount((ulong)bits),
            Op.SignExtend8 => (sbyte)bits,
            Op.SignExtend16 => (short)bits,
            Op.ZeroExtend8 => (byte)bits,
            Op.ZeroExtend16 => (ushort)bits,
            Op.SignExtend => (int)bits,
            Op.ZeroExtend => (uint)bits,
            Op.Narrow => (int)bits,
            Op.IntToFloat => FromDouble(to, from == IrType.I32 ? (int)bits : null, bits, isUnsigned: false),
            Op.UIntToFloat => FromDouble(to, from == IrType.I32 ? (uint)bits : null, bits, isUnsigned: true),
            Op.BitCast => to == IrType.F32 ? (uint)bits : to == IrType.I32 ? (int)bits : bits,
            _ => null,
        };
    }

    private static long? UnaryFloat(Op op, IrType from, IrType to, long bits)
    {
        var single = from == IrType.F32 ? BitConverter.Int32BitsToSingle((int)bits) : 0f;
        var number = from == IrType.F32 ? single : BitConverter.Int64BitsToDouble(bits);
        double? result = op switch
        {
            Op.Neg => -number,
            Op.Abs => Math.Abs(number),
            Op.Floor => Math.Floor(number),
            Op.Ceiling => Math.Ceiling(number),
            Op.Truncate => Math.Truncate(number),
            Op.RoundEven => Math.Round(number, MidpointRounding.ToEven),
            Op.Sqrt => from == IrType.F32 ? MathF.Sqrt(single) : Math.Sqrt(number),
            Op.FloatToFloat => number,
            _ => null,
        };
        if (op is Op.Neg or Op.Abs)
        {
            var sign = from == IrType.F32 ? 0x8000_0000L : long.MinValue;
            return op == Op.Neg ? bits ^ sign : bits & ~sign;
        }

        if (result is { } value)
            return to == IrType.F32 ? BitConverter.SingleToUInt32Bits((float)value) : BitConverter.DoubleToInt64Bits(value);
        return op switch
        {
            Op.FloatToInt => to == IrType.I32 ? (int)number : (long)number,
            Op.FloatToUInt => to == IrType.I32 ? (int)(uint)number : (long)(ulong)number,
            Op.BitCast => to == IrType.I32 ? (int)bits : bits,
            _ => null,
        };
    }

    private static long FromDouble(IrType to, long? small, long bits, bool isUnsigned)
    {
        if (to == IrType.F32)
        {
            var single = small is { } value ? value : isUnsigned ? (float)(ulong)bits : (float)bits;
            return BitConverter.SingleToUInt32Bits(single);
        }

        var number = small is { } exact ? exact : isUnsigned ? (double)(ulong)bits : (double)bits;
        return BitConverter.DoubleToInt64Bits(number);
    }

    private static float? Single(Op op, float a, float b) => op switch
    {
        Op.Add => a + b,
        Op.Sub => a - b,
        Op.Mul => a * b,
        Op.Div => a / b,
        Op.Min => MathF.Min(a, b),
        Op.Max => MathF.Max(a, b),
        _ => null,
    };

    private static double? Double(Op op, double a, double b) => op switch
    {
        Op.Add => a + b,
        Op.Sub => a - b,
        Op.Mul => a * b,
        Op.Div => a / b,
        _ => null,
    };

    private static long? Integer<T, TUnsigned>(Op op, long left, long right)
        where T : unmanaged, IBinaryInteger<T>
        where TUnsigned : unmanaged, IBinaryInteger<TUnsigned>
    {
        var width = 8 * Unsafe.SizeOf<T>();
        var (a, b) = (T.CreateTruncating(left), T.CreateTruncating(right));
        var (ua, ub) = (TUnsigned.CreateTruncating(left), TUnsigned.CreateTruncating(right));
        if (op is Op.Div or Op.DivU or Op.Rem or Op.RemU && T.IsZero(b))
            return null;
        var isTooFar = (uint)right >= width;
        return op switch
        {
            Op.Add => Bits(a + b),
            Op.Sub => Bits(a - b),
            Op.Mul => Bits(a * b),
            Op.MulWideS => left * right,
            Op.MulWideU => (long)((ulong)(uint)left * (uint)right),
            Op.MulHighS => Bits(T.CreateTruncating((Int128.CreateTruncating(a) * Int128.CreateTruncating(b)) >> width)),
            Op.MulHighU => Bits(T.CreateTruncating((UInt128.CreateTruncating(ua) * UInt128.CreateTruncating(ub)) >> width)),
            Op.Div => Bits(b == -T.One ? -a : a / b),
            Op.Rem => Bits(b == -T.One ? T.Zero : a % b),
            Op.DivU => Bits(T.CreateTruncating(ua / ub)),
            Op.RemU => Bits(T.CreateTruncating(ua % ub)),
            Op.Min => Bits(T.Min(a, b)),
            Op.Max => Bits(T.Max(a, b)),
            Op.MinU => Bits(T.CreateTruncating(TUnsigned.Min(ua, ub))),
            Op.MaxU => Bits(T.CreateTruncating(TUnsigned.Max(ua, ub))),
            Op.Shl => isTooFar ? 0 : Bits(a << (int)right),
            Op.Shr => Bits(a >> (isTooFar ? width - 1 : (int)right)),
            Op.ShrU => isTooFar ? 0 : Bits(T.CreateTruncating(ua >> (int)right)),
            Op.RotateLeft => Bits(T.RotateLeft(a, (int)right)),
            _ => Logic(op, left, right),
        };

        static long Bits(T value) => long.CreateTruncating(value);
    }

    private static long? Logic(Op op, long a, long b) => op switch
    {
        Op.And => a & b,
        Op.Or => a | b,
        Op.Xor => a ^ b,
        _ => null,
    };

    private static bool CompareInteger(Condition condition, long a, long b, IrType type)
    {
        var (ua, ub) = type == IrType.I32 ? ((uint)a, (uint)b) : ((ulong)a, (ulong)b);
        return condition switch
        {
            Condition.Equal => a == b,
            Condition.NotEqual => a != b,
            Condition.Less => a < b,
            Condition.LessEqual => a <= b,
            Condition.Greater => a > b,
            Condition.GreaterEqual => a >= b,
            Condition.LessU => ua < ub,
            Condition.LessEqualU => ua <= ub,
            Condition.GreaterU => ua > ub,
            _ => ua >= ub,
        };
    }

    private static bool CompareFloat(Condition condition, double a, double b) => condition switch
    {
        Condition.Equal => a == b,
        Condition.NotEqual => a != b,
        Condition.Less => a < b,
        Condition.LessEqual => a <= b,
        Condition.Greater => a > b,
        Condition.GreaterEqual => a >= b,
        Condition.LessU => !(a >= b),
        Condition.LessEqualU => !(a > b),
        Condition.GreaterU => !(a <= b),
        _ => !(a < b),
    };
}
