using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

internal readonly struct Add<T> : IBinaryOperation<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> left, Vector512<T> right) => left + right;
}

internal readonly struct Subtract<T> : IBinaryOperation<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> left, Vector512<T> right) => left - right;
}

internal readonly struct Multiply<T> : IBinaryOperation<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> left, Vector512<T> right) => left * right;
}

internal readonly struct Divide<T> : IBinaryOperation<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> left, Vector512<T> right) => left / right;
}

/// <summary>Integer multiply-add, low half.</summary>
internal readonly struct MultiplyAdd<T> : ITernaryOperation<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b, Vector512<T> c) => (a * b) + c;
}

internal readonly struct FusedMultiplyAdd32 : ITernaryOperation<float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Vector512.FusedMultiplyAdd(a, b, c);
}

internal readonly struct FusedMultiplyAdd64 : ITernaryOperation<double>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Apply(Vector512<double> a, Vector512<double> b, Vector512<double> c) =>
        Vector512.FusedMultiplyAdd(a, b, c);
}

/// <summary>Minimum; of a number and a NaN, the number. For integers, the plain minimum.</summary>
internal readonly struct Minimum<T> : IBinaryOperation<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> left, Vector512<T> right) => Vector512.MinNumber(left, right);
}

internal readonly struct Maximum<T> : IBinaryOperation<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> left, Vector512<T> right) => Vector512.MaxNumber(left, right);
}

internal readonly struct MinimumOrNaN<T> : IBinaryOperation<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> left, Vector512<T> right) => Vector512.Min(left, right);
}

internal readonly struct MaximumOrNaN<T> : IBinaryOperation<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> left, Vector512<T> right) => Vector512.Max(left, right);
}

internal readonly struct Negate<T> : IUnaryOperation<T, T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> value) => -value;
}

internal readonly struct Absolute<T> : IUnaryOperation<T, T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> value) => Vector512.Abs(value);
}

internal readonly struct SquareRoot<T> : IUnaryOperation<T, T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> value) => Vector512.Sqrt(value);
}

internal readonly struct Reciprocal<T> : IUnaryOperation<T, T>
    where T : unmanaged, INumberBase<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> value) => Vector512.Create(T.One) / value;
}

internal readonly struct ReciprocalSquareRoot<T> : IUnaryOperation<T, T>
    where T : unmanaged, INumberBase<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> value) => Vector512.Create(T.One) / Vector512.Sqrt(value);
}

/// <summary>.sat on floats: into [0, 1], NaN to 0.</summary>
internal readonly struct Saturate : IUnaryOperation<float, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> value) =>
        Vector512.MinNumber(Vector512.MaxNumber(value, Vector512<float>.Zero), Vector512<float>.One);
}

/// <summary>add.sat.s32.</summary>
internal readonly struct AddSaturate : ILaneBinary<int, int, int>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Apply(int a, int b) => (int)Math.Clamp((long)a + b, int.MinValue, int.MaxValue);
}

internal readonly struct SubtractSaturate : ILaneBinary<int, int, int>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Apply(int a, int b) => (int)Math.Clamp((long)a - b, int.MinValue, int.MaxValue);
}

/// <summary>Integer quotient; all ones for a zero divisor, as the hardware does.</summary>
internal readonly struct IntegerDivide<T> : ILaneBinary<T, T, T>
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T a, T b)
    {
        if (T.IsZero(b))
            return ~T.Zero;
        return T.IsNegative(b) && b == ~T.Zero ? unchecked(T.Zero - a) : a / b;
    }
}

/// <summary>Integer remainder; the dividend for a zero divisor.</summary>
internal readonly struct IntegerRemainder<T> : ILaneBinary<T, T, T>
    where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T a, T b)
    {
        if (T.IsZero(b))
            return a;
        return T.IsNegative(b) && b == ~T.Zero ? T.Zero : a % b;
    }
}

internal readonly struct MultiplyHighS32 : ILaneBinary<int, int, int>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Apply(int a, int b) => (int)(((long)a * b) >> 32);
}

internal readonly struct MultiplyHighU32 : ILaneBinary<uint, uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint a, uint b) => (uint)(((ulong)a * b) >> 32);
}

internal readonly struct MultiplyHighS64 : ILaneBinary<long, long, long>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Apply(long a, long b) => Math.BigMul(a, b, out _);
}

internal readonly struct MultiplyHighU64 : ILaneBinary<ulong, ulong, ulong>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong a, ulong b) => Math.BigMul(a, b, out _);
}

internal readonly struct MultiplyWideS32 : IWideningBinary<int, long>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<long> Lower, Vector512<long> Upper) Widen(Vector512<int> value) => Vector512.Widen(value);
}

internal readonly struct MultiplyWideU32 : IWideningBinary<uint, ulong>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<ulong> Lower, Vector512<ulong> Upper) Widen(Vector512<uint> value) => Vector512.Widen(value);
}

internal interface IWideningBinary<TIn, TOut>
    where TIn : unmanaged
    where TOut : unmanaged
{
    static abstract (Vector512<TOut> Lower, Vector512<TOut> Upper) Widen(Vector512<TIn> value);
}

/// <summary>mul.wide and mad.wide: d = a * b + c with 64-bit d and c; a zero constant serves the former.</summary>
internal static unsafe class WideMultiplyAdd<TIn, TOut, TOperation>
    where TIn : unmanaged
    where TOut : unmanaged
    where TOperation : struct, IWideningBinary<TIn, TOut>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Converged(Warp* warp, Op* op)
    {
        var r = warp->Registers;
        byte* d = r + op->Dst, a = r + op->A, b = r + op->B, c = r + op->C;
        var (a0, a1) = TOperation.Widen(LaneVectors.Load<TIn>(a, 0));
        var (a2, a3) = TOperation.Widen(LaneVectors.Load<TIn>(a, 1));
        var (b0, b1) = TOperation.Widen(LaneVectors.Load<TIn>(b, 0));
        var (b2, b3) = TOperation.Widen(LaneVectors.Load<TIn>(b, 1));
        LaneVectors.Store(d, 0, (a0 * b0) + LaneVectors.Load<TOut>(c, 0));
        LaneVectors.Store(d, 1, (a1 * b1) + LaneVectors.Load<TOut>(c, 1));
        LaneVectors.Store(d, 2, (a2 * b2) + LaneVectors.Load<TOut>(c, 2));
        LaneVectors.Store(d, 3, (a3 * b3) + LaneVectors.Load<TOut>(c, 3));
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Diverged(Warp* warp, Op* op)
    {
        var r = warp->Registers;
        byte* d = r + op->Dst, a = r + op->A, b = r + op->B, c = r + op->C;
        var (a0, a1) = TOperation.Widen(LaneVectors.Load<TIn>(a, 0));
        var (a2, a3) = TOperation.Widen(LaneVectors.Load<TIn>(a, 1));
        var (b0, b1) = TOperation.Widen(LaneVectors.Load<TIn>(b, 0));
        var (b2, b3) = TOperation.Widen(LaneVectors.Load<TIn>(b, 1));
        LaneVectors.Store(d, 0, (a0 * b0) + LaneVectors.Load<TOut>(c, 0), warp->Active);
        LaneVectors.Store(d, 1, (a1 * b1) + LaneVectors.Load<TOut>(c, 1), warp->Active);
        LaneVectors.Store(d, 2, (a2 * b2) + LaneVectors.Load<TOut>(c, 2), warp->Active);
        LaneVectors.Store(d, 3, (a3 * b3) + LaneVectors.Load<TOut>(c, 3), warp->Active);
        return op + 1;
    }
}
