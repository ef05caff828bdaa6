using System.Numerics;

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
        IrType.Pred => Integer(op, a, b, 1) & 1,
        IrType.I32 => Int32(op, (int)a, (int)b),
        IrType.I64 => Int64(op, a, b),
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

    private static long? Int32(Op op, int a, int b) => op switch
    {
        Op.Div => b == 0 ? null : b == -1 ? unchecked(-a) : a / b,
        Op.DivU => b == 0 ? null : (int)((uint)a / (uint)b),
        Op.Rem => b == 0 ? null : b == -1 ? 0 : a % b,
        Op.RemU => b == 0 ? null : (int)((uint)a % (uint)b),
        Op.Min => Math.Min(a, b),
        Op.Max => Math.Max(a, b),
        Op.MinU => (int)Math.Min((uint)a, (uint)b),
        Op.MaxU => (int)Math.Max((uint)a, (uint)b),
        Op.MulHighS => (int)(((long)a * b) >> 32),
        Op.MulHighU => (int)(((ulong)(uint)a * (uint)b) >> 32),
        Op.Shr => a >> (int)Math.Min((uint)b, 31),
        Op.ShrU => (uint)b >= 32 ? 0 : (int)((uint)a >> b),
        Op.Shl => (uint)b >= 32 ? 0 : a << b,
        Op.RotateLeft => (int)BitOperations.RotateLeft((uint)a, b),
        _ => (int?)Integer(op, a, b, 32),
    };

    private static long? Int64(Op op, long a, long b) => op switch
    {
        Op.Div => b == 0 ? null : b == -1 ? unchecked(-a) : a / b,
        Op.DivU => b == 0 ? null : (long)((ulong)a / (ulong)b),
        Op.Rem => b == 0 ? null : b == -1 ? 0 : a % b,
        Op.RemU => b == 0 ? null : (long)((ulong)a % (ulong)b),
        Op.Min => Math.Min(a, b),
        Op.Max => Math.Max(a, b),
        Op.MinU => (long)Math.Min((ulong)a, (ulong)b),
        Op.MaxU => (long)Math.Max((ulong)a, (ulong)b),
        Op.MulWideS => a * b,
        Op.MulWideU => (long)((ulong)(uint)a * (uint)b),
        Op.MulHighS => Math.BigMul(a, b, out _),
        Op.MulHighU => (long)Math.BigMul((ulong)a, (ulong)b, out _),
        Op.Shr => a >> (int)Math.Min((uint)b, 63),
        Op.ShrU => (uint)b >= 64 ? 0 : (long)((ulong)a >> (int)b),
        Op.Shl => (uint)b >= 64 ? 0 : a << (int)b,
        Op.RotateLeft => (long)BitOperations.RotateLeft((ulong)a, (int)b),
        _ => Integer(op, a, b, 64),
    };

    private static long? Integer(Op op, long a, long b, int bits) => op switch
    {
        Op.Add => bits == 32 ? (int)(a + b) : a + b,
        Op.Sub => bits == 32 ? (int)(a - b) : a - b,
        Op.Mul => bits == 32 ? (int)(a * b) : a * b,
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
