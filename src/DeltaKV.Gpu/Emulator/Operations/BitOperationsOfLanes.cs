using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeltaKV.Gpu.Emulator;

internal readonly struct And<T> : IBinaryOperation<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> left, Vector512<T> right) => left & right;
}

internal readonly struct Or<T> : IBinaryOperation<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> left, Vector512<T> right) => left | right;
}

internal readonly struct Xor<T> : IBinaryOperation<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> left, Vector512<T> right) => left ^ right;
}

internal readonly struct Complement<T> : IUnaryOperation<T, T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> value) => ~value;
}

internal readonly struct Move<T> : IUnaryOperation<T, T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> value) => value;
}

/// <summary>cnot: 1 where zero, else 0.</summary>
internal readonly struct LogicalNot<T> : IUnaryOperation<T, T>
    where T : unmanaged, INumberBase<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> value) => Vector512.Equals(value, Vector512<T>.Zero) & Vector512.Create(T.One);
}

/// <summary>Shifts saturate: a count beyond the width leaves nothing (or only sign bits).</summary>
internal readonly struct ShiftLeft32 : IBinaryOperation<uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> left, Vector512<uint> right)
    {
        if (Avx512F.IsSupported)
            return Avx512F.ShiftLeftLogicalVariable(left, right);
        if (Avx2.IsSupported)
        {
            return Vector512.Create(
                Avx2.ShiftLeftLogicalVariable(left.GetLower(), right.GetLower()),
                Avx2.ShiftLeftLogicalVariable(left.GetUpper(), right.GetUpper()));
        }

        return PortableShift.Apply(left, right, static (value, count) => count < 32 ? value << (int)count : 0);
    }
}

internal readonly struct ShiftRight32 : IBinaryOperation<uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> left, Vector512<uint> right)
    {
        if (Avx512F.IsSupported)
            return Avx512F.ShiftRightLogicalVariable(left, right);
        if (Avx2.IsSupported)
        {
            return Vector512.Create(
                Avx2.ShiftRightLogicalVariable(left.GetLower(), right.GetLower()),
                Avx2.ShiftRightLogicalVariable(left.GetUpper(), right.GetUpper()));
        }

        return PortableShift.Apply(left, right, static (value, count) => count < 32 ? value >> (int)count : 0);
    }
}

internal readonly struct ShiftRightArithmetic32 : IBinaryOperation<uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Apply(Vector512<uint> left, Vector512<uint> right)
    {
        if (Avx512F.IsSupported)
            return Avx512F.ShiftRightArithmeticVariable(left.AsInt32(), right).AsUInt32();
        if (Avx2.IsSupported)
        {
            return Vector512.Create(
                Avx2.ShiftRightArithmeticVariable(left.AsInt32().GetLower(), right.GetLower()),
                Avx2.ShiftRightArithmeticVariable(left.AsInt32().GetUpper(), right.GetUpper())).AsUInt32();
        }

        return PortableShift.Apply(left, right, static (value, count) => (uint)((int)value >> (int)Math.Min(count, 31)));
    }
}

internal readonly struct ShiftLeft64 : IBinaryOperation<ulong>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Apply(Vector512<ulong> left, Vector512<ulong> right) => Avx512F.IsSupported
        ? Avx512F.ShiftLeftLogicalVariable(left, right)
        : PortableShift.Apply(left, right, static (value, count) => count < 64 ? value << (int)count : 0);
}

internal readonly struct ShiftRight64 : IBinaryOperation<ulong>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Apply(Vector512<ulong> left, Vector512<ulong> right) => Avx512F.IsSupported
        ? Avx512F.ShiftRightLogicalVariable(left, right)
        : PortableShift.Apply(left, right, static (value, count) => count < 64 ? value >> (int)count : 0);
}

internal readonly struct ShiftRightArithmetic64 : IBinaryOperation<ulong>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Apply(Vector512<ulong> left, Vector512<ulong> right) => Avx512F.IsSupported
        ? Avx512F.ShiftRightArithmeticVariable(left.AsInt64(), right).AsUInt64()
        : PortableShift.Apply(left, right, static (value, count) => (ulong)((long)value >> (int)Math.Min(count, 63)));
}

/// <summary>Per-element shifts for hosts whose vectors have none.</summary>
internal static class PortableShift
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right, Func<T, T, T> shift)
        where T : unmanaged
    {
        var result = left;
        for (var i = 0; i < Vector512<T>.Count; i++)
            result = result.WithElement(i, shift(left[i], right[i]));
        return result;
    }
}

internal readonly struct PopCount32 : ILaneUnary<uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a) => (uint)BitOperations.PopCount(a);
}

internal readonly struct PopCount64 : ILaneUnary<ulong, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(ulong a) => (uint)BitOperations.PopCount(a);
}

internal readonly struct LeadingZeros32 : ILaneUnary<uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a) => (uint)BitOperations.LeadingZeroCount(a);
}

internal readonly struct LeadingZeros64 : ILaneUnary<ulong, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(ulong a) => (uint)BitOperations.LeadingZeroCount(a);
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
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong a) => ((ulong)Reverse32.Apply((uint)a) << 32) | Reverse32.Apply((uint)(a >> 32));
}

/// <summary>bfind: position of the highest bit (that differs from the sign), or all ones.</summary>
internal readonly struct FindU32 : ILaneUnary<uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a) => (uint)(31 - BitOperations.LeadingZeroCount(a));
}

internal readonly struct FindS32 : ILaneUnary<int, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(int a) => FindU32.Apply((uint)(a < 0 ? ~a : a));
}

internal readonly struct FindU64 : ILaneUnary<ulong, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(ulong a) => (uint)(63 - BitOperations.LeadingZeroCount(a));
}

internal readonly struct FindS64 : ILaneUnary<long, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(long a) => FindU64.Apply((ulong)(a < 0 ? ~a : a));
}

/// <summary>bfe: the field at bit b of length c, zero- or sign-extended (the sign of the highest bit there is).</summary>
internal readonly struct ExtractU32 : ILaneTernary<uint, uint, uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a, uint b, uint c) => (uint)ExtractU64.Apply(a, b, c);
}

internal readonly struct ExtractS32 : ILaneTernary<int, uint, uint, int>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Apply(long a, uint b, uint c) => Extract(a, b, c, 63);

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
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Apply(int a, uint b)
    {
        if (b >= 32)
            return a;
        return b == 0 ? 0 : a << (int)(32 - b) >> (int)(32 - b);
    }
}

internal readonly struct SzextUnsigned : ILaneBinary<uint, uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a, uint b) => b >= 32 ? a : a & ((1u << (int)b) - 1);
}

/// <summary>bfi f, a, b, c, d: inserts the low d bits of a into b at bit c.</summary>
internal static class InsertBits
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong a, ulong b, uint c, uint d, int width)
    {
        c &= 0xFF;
        d &= 0xFF;
        if (c >= width || d == 0)
            return b;
        var mask = (d >= 64 ? ulong.MaxValue : (1ul << (int)d) - 1) << (int)c;
        return (b & ~mask) | ((a << (int)c) & mask);
    }
}

/// <summary>Bit operations with four sources; the fourth is in Extra, or immediate.</summary>
internal static unsafe class FourOperandBits
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Insert32(Warp* warp, Op* op)
    {
        var r = warp->Registers;
        uint* d = (uint*)(r + op->Dst), a = (uint*)(r + op->A), b = (uint*)(r + op->B), c = (uint*)(r + op->C);
        var length = (uint*)(r + op->Extra[0]);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var i = BitOperations.TrailingZeroCount(lanes);
            d[i] = (uint)InsertBits.Apply(a[i], b[i], c[i], length[i], 32);
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Insert64(Warp* warp, Op* op)
    {
        var r = warp->Registers;
        ulong* d = (ulong*)(r + op->Dst), a = (ulong*)(r + op->A), b = (ulong*)(r + op->B);
        uint* c = (uint*)(r + op->C), length = (uint*)(r + op->Extra[0]);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var i = BitOperations.TrailingZeroCount(lanes);
            d[i] = InsertBits.Apply(a[i], b[i], c[i], length[i], 64);
        }

        return op + 1;
    }

    /// <summary>lop3 with the truth table in Imm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Logic3(Warp* warp, Op* op)
    {
        var r = warp->Registers;
        for (var part = 0; part < 2; part++)
        {
            var a = LaneVectors.Load<uint>(r + op->A, part);
            var b = LaneVectors.Load<uint>(r + op->B, part);
            var c = LaneVectors.Load<uint>(r + op->C, part);
            var result = Vector512<uint>.Zero;
            for (var row = 0; row < 8; row++)
            {
                if ((op->Imm >> row & 1) == 0)
                    continue;
                var term = (row & 4) != 0 ? a : ~a;
                term &= (row & 2) != 0 ? b : ~b;
                term &= (row & 1) != 0 ? c : ~c;
                result |= term;
            }

            LaneVectors.Store(r + op->Dst, part, result, warp->IsConverged ? uint.MaxValue : warp->Active);
        }

        return op + 1;
    }

    /// <summary>prmt with a constant selector: Imm holds, for each result byte, its index in A (lower half) and in B (upper half), or 0x80.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* PermuteConstant(Warp* warp, Op* op)
    {
        var r = warp->Registers;
        var wordOffsets = Vector128.Create(0u, 0x0404_0404, 0x0808_0808, 0x0C0C_0C0C);
        var fromA = (Vector128.Create((uint)op->Imm) + wordOffsets).AsByte();
        var fromB = (Vector128.Create((uint)(op->Imm >> 32)) + wordOffsets).AsByte();
        var written = warp->IsConverged ? uint.MaxValue : warp->Active;
        for (var part = 0; part < 2; part++)
        {
            var a = LaneVectors.Load<byte>(r + op->A, part);
            var b = LaneVectors.Load<byte>(r + op->B, part);
            LaneVectors.Store(r + op->Dst, part, (Shuffle(a, fromA) | Shuffle(b, fromB)).AsUInt32(), written);
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Shuffle(Vector512<byte> bytes, Vector128<byte> indices)
    {
        if (Avx512BW.IsSupported)
            return Avx512BW.Shuffle(bytes, Vector512.Create(Vector256.Create(indices, indices), Vector256.Create(indices, indices)));
        var (low, high) = (bytes.GetLower(), bytes.GetUpper());
        return Vector512.Create(
            Vector256.Create(Vector128.Shuffle(low.GetLower(), indices), Vector128.Shuffle(low.GetUpper(), indices)),
            Vector256.Create(Vector128.Shuffle(high.GetLower(), indices), Vector128.Shuffle(high.GetUpper(), indices)));
    }
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
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a, uint b, uint c) => (uint)(((((ulong)b << 32) | a) << (int)(c & 31)) >> 32);
}

internal readonly struct FunnelLeftClamp : ILaneTernary<uint, uint, uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a, uint b, uint c) => (uint)(((((ulong)b << 32) | a) << (int)Math.Min(c, 32)) >> 32);
}

internal readonly struct FunnelRightWrap : ILaneTernary<uint, uint, uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a, uint b, uint c) => (uint)((((ulong)b << 32) | a) >> (int)(c & 31));
}

internal readonly struct FunnelRightClamp : ILaneTernary<uint, uint, uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a, uint b, uint c) => (uint)((((ulong)b << 32) | a) >> (int)Math.Min(c, 32));
}

/// <summary>dp4a: c plus the dot product of four bytes.</summary>
internal readonly struct DotS8S8 : ILaneTernary<uint, uint, int, int>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Apply(uint a, uint b, int c)
    {
        for (var i = 0; i < 32; i += 8)
            c += (sbyte)(a >> i) * (sbyte)(b >> i);
        return c;
    }
}

internal readonly struct DotU8U8 : ILaneTernary<uint, uint, int, int>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Apply(uint a, uint b, int c)
    {
        for (var i = 0; i < 32; i += 8)
            c += (byte)(a >> i) * (byte)(b >> i);
        return c;
    }
}

internal readonly struct DotS8U8 : ILaneTernary<uint, uint, int, int>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Apply(uint a, uint b, int c)
    {
        for (var i = 0; i < 32; i += 8)
            c += (sbyte)(a >> i) * (byte)(b >> i);
        return c;
    }
}

internal readonly struct DotU8S8 : ILaneTernary<uint, uint, int, int>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Apply(uint a, uint b, int c) => DotS8U8.Apply(b, a, c);
}
