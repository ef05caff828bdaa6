using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeltaKV.Gpu.Emulator;

internal readonly struct And : IBinaryOperation, IIntegerOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => left & right;

    public static T Apply<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a & b;
}

internal readonly struct Or : IBinaryOperation, IIntegerOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => left | right;

    public static T Apply<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a | b;
}

internal readonly struct Xor : IBinaryOperation, IIntegerOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => left ^ right;

    public static T Apply<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => a ^ b;
}

internal readonly struct Complement : IUnaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> value)
        where T : unmanaged => ~value;
}

internal readonly struct Move<T> : IUnaryOperation<T, T>
    where T : unmanaged
{
    public static Vector512<T> Apply(Vector512<T> value) => value;
}

/// <summary>cnot: 1 where zero, else 0.</summary>
internal readonly struct LogicalNot : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply<T>(Vector512<T> value)
        where T : unmanaged => Vector512.Equals(value, Vector512<T>.Zero) & Vector512<T>.One;
}

/// <summary>Shifts saturate: a count beyond the width leaves nothing (or only sign bits).</summary>
internal readonly unsafe struct ShiftLeft : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged
    {
        if (Avx512F.IsSupported && sizeof(T) == 4)
            return Avx512F.ShiftLeftLogicalVariable(left.AsUInt32(), right.AsUInt32()).As<uint, T>();
        if (Avx512F.IsSupported)
            return Avx512F.ShiftLeftLogicalVariable(left.AsUInt64(), right.AsUInt64()).As<ulong, T>();
        if (Avx2.IsSupported && sizeof(T) == 4)
        {
            return Vector512.Create(
                Avx2.ShiftLeftLogicalVariable(left.AsUInt32().GetLower(), right.AsUInt32().GetLower()),
                Avx2.ShiftLeftLogicalVariable(left.AsUInt32().GetUpper(), right.AsUInt32().GetUpper())).As<uint, T>();
        }

        return PortableShift.Apply(left, right, static (value, count, width) => count < (uint)width ? value << (int)count : 0);
    }
}

internal readonly unsafe struct ShiftRight : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged
    {
        if (Avx512F.IsSupported && sizeof(T) == 4)
            return Avx512F.ShiftRightLogicalVariable(left.AsUInt32(), right.AsUInt32()).As<uint, T>();
        if (Avx512F.IsSupported)
            return Avx512F.ShiftRightLogicalVariable(left.AsUInt64(), right.AsUInt64()).As<ulong, T>();
        if (Avx2.IsSupported && sizeof(T) == 4)
        {
            return Vector512.Create(
                Avx2.ShiftRightLogicalVariable(left.AsUInt32().GetLower(), right.AsUInt32().GetLower()),
                Avx2.ShiftRightLogicalVariable(left.AsUInt32().GetUpper(), right.AsUInt32().GetUpper())).As<uint, T>();
        }

        return PortableShift.Apply(left, right, static (value, count, width) => count < (uint)width ? value >> (int)count : 0);
    }
}

internal readonly unsafe struct ShiftRightArithmetic : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged
    {
        if (Avx512F.IsSupported && sizeof(T) == 4)
            return Avx512F.ShiftRightArithmeticVariable(left.AsInt32(), right.AsUInt32()).As<int, T>();
        if (Avx512F.IsSupported)
            return Avx512F.ShiftRightArithmeticVariable(left.AsInt64(), right.AsUInt64()).As<long, T>();
        if (Avx2.IsSupported && sizeof(T) == 4)
        {
            return Vector512.Create(
                Avx2.ShiftRightArithmeticVariable(left.AsInt32().GetLower(), right.AsUInt32().GetLower()),
                Avx2.ShiftRightArithmeticVariable(left.AsInt32().GetUpper(), right.AsUInt32().GetUpper())).As<int, T>();
        }

        return PortableShift.Apply(
            left, right, static (value, count, width) => (ulong)((long)value << (64 - width) >> (64 - width) >> (int)Math.Min(count, 63)));
    }
}

/// <summary>Per-element shifts for hosts whose vectors have none.</summary>
internal static unsafe class PortableShift
{
    /// <param name="left">What is shifted.</param>
    /// <param name="right">By how much.</param>
    /// <param name="shift">From value, count and width in bits to the result.</param>
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right, Func<ulong, ulong, int, ulong> shift)
        where T : unmanaged
    {
        if (sizeof(T) == 4)
            return Each(left.AsUInt32(), right.AsUInt32(), shift).As<uint, T>();
        return Each(left.AsUInt64(), right.AsUInt64(), shift).As<ulong, T>();
    }

    private static Vector512<T> Each<T>(Vector512<T> left, Vector512<T> right, Func<ulong, ulong, int, ulong> shift)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (var i = 0; i < Vector512<T>.Count; i++)
        {
            var shifted = shift(ulong.CreateTruncating(left[i]), ulong.CreateTruncating(right[i]), 8 * sizeof(T));
            left = left.WithElement(i, T.CreateTruncating(shifted));
        }

        return left;
    }
}
