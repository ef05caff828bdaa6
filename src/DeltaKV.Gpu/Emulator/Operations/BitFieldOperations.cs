using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Emulator;

internal readonly struct PopCount : IBitCount
{
    public static int Of<T>(T value)
        where T : unmanaged, IBinaryInteger<T> => int.CreateTruncating(T.PopCount(value));
}

internal readonly struct LeadingZeros : IBitCount
{
    public static int Of<T>(T value)
        where T : unmanaged, IBinaryInteger<T> => int.CreateTruncating(T.LeadingZeroCount(value));
}

/// <summary>bfind: position of the highest bit (that differs from the sign), or all ones.</summary>
internal readonly unsafe struct HighestBit : IBitCount
{
    public static int Of<T>(T value)
        where T : unmanaged, IBinaryInteger<T> => (8 * sizeof(T)) - 1 - LeadingZeros.Of(T.IsNegative(value) ? ~value : value);
}

internal readonly struct Reverse32 : ILaneUnary<uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a)
    {
        a = ((a >> 1) & 0x5555_5555) | ((a & 0x5555_5555) << 1);
        a = ((a >> 2) & 0x3333_3333) | ((a & 0x3333_3333) << 2);
        a = ((a >> 4) & 0x0F0F_0F0F) | ((a & 0x0F0F_0F0F) << 4);
        return System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(a);
    }
}

internal readonly struct Reverse64 : ILaneUnary<ulong, ulong>
{
    public static ulong Apply(ulong a) => ((ulong)Reverse32.Apply((uint)a) << 32) | Reverse32.Apply((uint)(a >> 32));
}

/// <summary>bfe: the field at bit b of length c, zero- or sign-extended (the sign of the highest bit there is).</summary>
internal readonly struct ExtractU32 : ILaneTernary<uint, uint, uint, uint>
{
    public static uint Apply(uint a, uint b, uint c) => (uint)ExtractU64.Apply(a, b, c);
}

internal readonly struct ExtractS32 : ILaneTernary<int, uint, uint, int>
{
    public static int Apply(int a, uint b, uint c) => (int)ExtractS64.Extract(a, b, c, 31);
}

internal readonly struct ExtractU64 : ILaneTernary<ulong, uint, uint, ulong>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong a, uint b, uint c)
    {
        b &= 0xFF;
        c &= 0xFF;
        var shifted = b < 64 ? a >> (int)b : 0;
        return c < 64 ? shifted & ((1ul << (int)c) - 1) : shifted;
    }
}

internal readonly struct ExtractS64 : ILaneTernary<long, uint, uint, long>
{
    public static long Apply(long a, uint b, uint c) => Extract(a, b, c, 63);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Extract(long a, uint b, uint c, int top)
    {
        b &= 0xFF;
        c &= 0xFF;
        if (c == 0)
            return 0;
        var shifted = a >> (int)Math.Min(b, 63);
        var unused = 64 - (int)Math.Min(c, 64);
        return b + c > top ? shifted : shifted << unused >> unused;
    }
}

internal readonly struct Szext : ILaneBinary<int, uint, int>
{
    public static int Apply(int a, uint b)
    {
        if (b >= 32)
            return a;
        return b == 0 ? 0 : a << (int)(32 - b) >> (int)(32 - b);
    }
}

internal readonly struct SzextUnsigned : ILaneBinary<uint, uint, uint>
{
    public static uint Apply(uint a, uint b) => b >= 32 ? a : a & ((1u << (int)b) - 1);
}

internal readonly struct Permute : ILaneTernary<uint, uint, uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a, uint b, uint c)
    {
        var bytes = ((ulong)b << 32) | a;
        uint result = 0;
        for (var i = 0; i < 4; i++)
        {
            var selector = (int)(c >> (4 * i)) & 15;
            var value = (uint)(bytes >> (8 * (selector & 7))) & 0xFF;
            if ((selector & 8) != 0)
                value = (value & 0x80) != 0 ? 0xFFu : 0;
            result |= value << (8 * i);
        }

        return result;
    }
}

/// <summary>shf: the upper (left) or lower (right) word of the 64-bit value b:a shifted.</summary>
internal readonly struct FunnelLeftWrap : ILaneTernary<uint, uint, uint, uint>
{
    public static uint Apply(uint a, uint b, uint c) => (uint)(((((ulong)b << 32) | a) << (int)(c & 31)) >> 32);
}

internal readonly struct FunnelLeftClamp : ILaneTernary<uint, uint, uint, uint>
{
    public static uint Apply(uint a, uint b, uint c) => (uint)(((((ulong)b << 32) | a) << (int)Math.Min(c, 32)) >> 32);
}

internal readonly struct FunnelRightWrap : ILaneTernary<uint, uint, uint, uint>
{
    public static uint Apply(uint a, uint b, uint c) => (uint)((((ulong)b << 32) | a) >> (int)(c & 31));
}

internal readonly struct FunnelRightClamp : ILaneTernary<uint, uint, uint, uint>
{
    public static uint Apply(uint a, uint b, uint c) => (uint)((((ulong)b << 32) | a) >> (int)Math.Min(c, 32));
}

/// <summary>dp4a: c plus the dot product of four bytes, signed or not.</summary>
internal readonly struct DotBytes<TA, TB> : ILaneTernary<uint, uint, int, int>
    where TA : IBinaryInteger<TA>
    where TB : IBinaryInteger<TB>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Apply(uint a, uint b, int c)
    {
        for (var i = 0; i < 32; i += 8)
            c += int.CreateTruncating(TA.CreateTruncating(a >> i)) * int.CreateTruncating(TB.CreateTruncating(b >> i));
        return c;
    }
}
