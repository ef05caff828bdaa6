using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>An 8-bit float format.</summary>
internal interface IFloat8Format
{
    /// <summary>Rounds to nearest even and saturates to the largest finite value.</summary>
    static abstract byte FromSingle(float value);
}

internal readonly struct E4M3Format : IFloat8Format
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte FromSingle(float value) => Float8Rounding.Round(value, 3, 7, 0x7E);
}

internal readonly struct E5M2Format : IFloat8Format
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte FromSingle(float value) => Float8Rounding.Round(value, 2, 15, 0x7B);
}

internal static class Float8Rounding
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte Round(float value, int mantissaBits, int bias, int largest)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        var sign = (byte)(bits >> 24 & 0x80);
        bits &= 0x7FFF_FFFF;
        if (bits > 0x7F80_0000)
            return 0x7F;
        int rounded;
        if (bits >> 23 < 128 - bias)
        {
            // Below the smallest normal: count in units of the smallest denormal.
            var units = MathF.Round(BitConverter.UInt32BitsToSingle(bits) * (float)(1 << (bias - 1 + mantissaBits)));
            rounded = (int)units;
        }
        else
        {
            var shift = 23 - mantissaBits;
            bits += (1u << (shift - 1)) - 1 + (bits >> shift & 1);
            rounded = (int)Math.Min((bits >> shift) - (uint)((127 - bias) << mantissaBits), 0xFF);
        }

        return (byte)(sign | Math.Min(rounded, largest));
    }
}

/// <summary>cvt.satfinite.e?m?x2.f32: the first operand goes to the upper byte.</summary>
internal readonly struct PackFloat8<TFormat> : ILaneBinary<float, float, uint>
    where TFormat : struct, IFloat8Format
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(float a, float b) => ((uint)TFormat.FromSingle(a) << 8) | TFormat.FromSingle(b);
}

/// <summary>cvt.satfinite.e?m?x2.f16x2.</summary>
internal readonly struct PackFloat8FromHalves<TFormat> : ILaneUnary<uint, uint>
    where TFormat : struct, IFloat8Format
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a) => PackFloat8<TFormat>.Apply(
        (float)BitConverter.UInt16BitsToHalf((ushort)(a >> 16)), (float)BitConverter.UInt16BitsToHalf((ushort)a));
}

/// <summary>cvt.f16x2.e?m?x2, exact.</summary>
internal readonly struct UnpackFloat8<TFragment> : IUnaryOperation<uint, uint>
    where TFragment : struct, IFragment
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> value) =>
        Float16Format.FromSingle(TFragment.Extract(value, 0)) | (Float16Format.FromSingle(TFragment.Extract(value, 1)) << 16);
}
