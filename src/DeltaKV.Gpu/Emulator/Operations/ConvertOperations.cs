using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

internal readonly struct SignExtend8 : IUnaryOperation<int, int>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Apply(Vector512<int> value) => (value << 24) >> 24;
}

internal readonly struct SignExtend16 : IUnaryOperation<int, int>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Apply(Vector512<int> value) => (value << 16) >> 16;
}

internal readonly struct ZeroExtend8 : IUnaryOperation<uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> value) => value & Vector512.Create(0xFFu);
}

internal readonly struct ZeroExtend16 : IUnaryOperation<uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> value) => value & Vector512.Create(0xFFFFu);
}

internal readonly struct SignExtend32 : IWideningOperation<int, long>
{
    public static (Vector512<long> Lower, Vector512<long> Upper) Apply(Vector512<int> value) => Vector512.Widen(value);
}

internal readonly struct ZeroExtend32 : IWideningOperation<uint, ulong>
{
    public static (Vector512<ulong> Lower, Vector512<ulong> Upper) Apply(Vector512<uint> value) => Vector512.Widen(value);
}

internal readonly struct Truncate : INarrowingOperation<ulong, uint>
{
    public static Vector512<uint> Apply(Vector512<ulong> lower, Vector512<ulong> upper) => Vector512.Narrow(lower, upper);
}

internal readonly struct UpperWord : INarrowingOperation<ulong, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<ulong> lower, Vector512<ulong> upper) => Vector512.Narrow(lower >> 32, upper >> 32);
}

internal readonly struct SingleToDouble : IWideningOperation<float, double>
{
    public static (Vector512<double> Lower, Vector512<double> Upper) Apply(Vector512<float> value) => Vector512.Widen(value);
}

internal readonly struct DoubleToSingle : INarrowingOperation<double, float>
{
    public static Vector512<float> Apply(Vector512<double> lower, Vector512<double> upper) => Vector512.Narrow(lower, upper);
}

internal readonly struct Int32ToSingle : IUnaryOperation<int, float>
{
    public static Vector512<float> Apply(Vector512<int> value) => Vector512.ConvertToSingle(value);
}

internal readonly struct UInt32ToSingle : IUnaryOperation<uint, float>
{
    public static Vector512<float> Apply(Vector512<uint> value) => Vector512.ConvertToSingle(value);
}

/// <summary>Truncates and saturates; NaN becomes 0.</summary>
internal readonly struct SingleToInt32 : IUnaryOperation<float, int>
{
    public static Vector512<int> Apply(Vector512<float> value) => Vector512.ConvertToInt32(value);
}

internal readonly struct SingleToUInt32 : IUnaryOperation<float, uint>
{
    public static Vector512<uint> Apply(Vector512<float> value) => Vector512.ConvertToUInt32(value);
}

internal readonly struct RoundToEven : IUnaryOperation<float, float>
{
    public static Vector512<float> Apply(Vector512<float> value) => Vector512.Round(value);
}

internal readonly struct RoundToZero : IUnaryOperation<float, float>
{
    public static Vector512<float> Apply(Vector512<float> value) => Vector512.Truncate(value);
}

internal readonly struct RoundDown : IUnaryOperation<float, float>
{
    public static Vector512<float> Apply(Vector512<float> value) => Vector512.Floor(value);
}

internal readonly struct RoundUp : IUnaryOperation<float, float>
{
    public static Vector512<float> Apply(Vector512<float> value) => Vector512.Ceiling(value);
}

/// <summary>cvt.rna.tf32.f32: ten mantissa bits, ties away from zero.</summary>
internal readonly struct SingleToTensorFloat : IUnaryOperation<uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> value) =>
        (value + Vector512.Create(0x1000u)) & Vector512.Create(0xFFFF_E000u);
}

/// <summary>What a general conversion does, packed into an operation's Imm.</summary>
internal readonly record struct Conversion(PtxType To, PtxType From, RoundingMode Mode, bool RoundToInteger, bool Saturate)
{
    public long Pack() => (byte)To | (long)(byte)From << 8 | (long)(byte)Mode << 16 | (RoundToInteger ? 1L << 24 : 0) | (Saturate ? 1L << 25 : 0);

    public static Conversion Unpack(long bits) => new(
        (PtxType)(byte)bits, (PtxType)(byte)(bits >> 8), (RoundingMode)(byte)(bits >> 16), (bits >> 24 & 1) != 0, (bits >> 25 & 1) != 0);
}

/// <summary>Every conversion without a vector form of its own, lane by lane.</summary>
internal static unsafe class GeneralConversion
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        var conversion = Conversion.Unpack(op->Imm);
        var d = warp->Registers + op->Dst;
        var a = warp->Registers + op->A;
        var toLane = conversion.To.LaneSize();
        var fromLane = conversion.From.LaneSize();
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            var bits = fromLane == 8 ? ((ulong*)a)[lane] : ((uint*)a)[lane];
            var result = conversion.From.IsFloat() ? FromFloat(conversion, bits) : FromInteger(conversion, bits);
            if (toLane == 8)
                ((ulong*)d)[lane] = result;
            else
                ((uint*)d)[lane] = (uint)result;
        }

        return op + 1;
    }

    private static ulong FromFloat(in Conversion c, ulong bits)
    {
        var value = c.From switch
        {
            PtxType.F16 => Float16Format.ToDouble((ushort)bits),
            PtxType.BF16 => BFloat16Format.ToDouble((ushort)bits),
            PtxType.F32 => BitConverter.UInt32BitsToSingle((uint)bits),
            _ => BitConverter.UInt64BitsToDouble(bits),
        };
        if (c.RoundToInteger || !c.To.IsFloat())
            value = Round(value, c.Mode);
        return c.To.IsFloat() ? ToFloat(c, value) : ToInteger(c.To, value);
    }

    private static ulong FromInteger(in Conversion c, ulong bits)
    {
        var signed = c.From switch
        {
            PtxType.S8 => (sbyte)bits,
            PtxType.S16 => (short)bits,
            PtxType.S32 => (int)bits,
            PtxType.U8 or PtxType.B8 => (byte)bits,
            PtxType.U16 or PtxType.B16 => (ushort)bits,
            PtxType.U32 or PtxType.B32 => (uint)bits,
            _ => (long)bits,
        };
        var exact = c.From is PtxType.U64 or PtxType.B64 ? (Int128)bits : signed;
        if (c.To == PtxType.F64)
            return BitConverter.DoubleToUInt64Bits(c.From == PtxType.U64 ? bits : (double)signed);
        if (c.To == PtxType.F32 && c.Mode == RoundingMode.NearestEven)
            return BitConverter.SingleToUInt32Bits(c.From == PtxType.U64 ? bits : (float)signed);
        if (c.To.IsFloat())
            return ToFloat(c, (double)exact);
        if (c.Saturate)
            exact = Clamp(c.To, exact);
        return (ulong)exact & Mask(c.To);
    }

    private static ulong ToFloat(in Conversion c, double value)
    {
        if (c.Saturate)
            value = double.IsNaN(value) ? 0 : Math.Clamp(value, 0, 1);
        var mode = c.RoundToInteger ? RoundingMode.NearestEven : c.Mode;
        return c.To switch
        {
            PtxType.F16 => Float16Format.FromDouble(value, mode),
            PtxType.BF16 => BFloat16Format.FromDouble(value, mode),
            PtxType.F32 => BitConverter.SingleToUInt32Bits(ScalarRounding.To<float>(value, mode)),
            _ => BitConverter.DoubleToUInt64Bits(value),
        };
    }

    private static ulong ToInteger(PtxType type, double value) => type switch
    {
        PtxType.S64 => (ulong)(double.IsNaN(value) ? 0 : long.CreateSaturating(value)),
        PtxType.U64 or PtxType.B64 => double.IsNaN(value) ? 0 : ulong.CreateSaturating(value),
        _ => double.IsNaN(value) ? 0 : (ulong)Clamp(type, (Int128)Math.Clamp(value, -1e18, 1e18)) & Mask(type),
    };

    private static double Round(double value, RoundingMode mode) => mode switch
    {
        RoundingMode.NearestEven => Math.Round(value),
        RoundingMode.TowardZero => Math.Truncate(value),
        RoundingMode.Down => Math.Floor(value),
        _ => Math.Ceiling(value),
    };

    private static Int128 Clamp(PtxType type, Int128 value)
    {
        var bits = type.Size() * 8;
        return type.IsSigned()
            ? Int128.Clamp(value, -(Int128.One << (bits - 1)), (Int128.One << (bits - 1)) - 1)
            : Int128.Clamp(value, 0, (Int128.One << bits) - 1);
    }

    /// <summary>Narrow results fill their 32-bit lane: signed ones keep their sign, unsigned ones are zero above.</summary>
    private static ulong Mask(PtxType type) => type.IsSigned() || type.Size() == 8 ? ulong.MaxValue : (1ul << (8 * type.Size())) - 1;
}
