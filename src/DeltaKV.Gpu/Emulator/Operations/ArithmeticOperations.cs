using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

internal readonly struct Add : IBinaryOperation, IIntegerOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => left + right;

    public static T Apply<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => unchecked(a + b);
}

internal readonly struct Subtract : IBinaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => left - right;
}

internal readonly struct Multiply : IBinaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => left * right;
}

internal readonly struct Divide : IBinaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => left / right;
}

/// <summary>The low half for integers, rounded once for floats.</summary>
internal readonly struct MultiplyAdd : ITernaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b, Vector512<T> c)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>();
        if (typeof(T) == typeof(double))
            return Vector512.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();
        return (a * b) + c;
    }
}

/// <summary>The smaller; NaN when either is.</summary>
internal readonly struct Minimum : IBinaryOperation, IIntegerOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => Vector512.Min(left, right);

    public static T Apply<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => T.Min(a, b);
}

/// <summary>The larger; NaN when either is.</summary>
internal readonly struct Maximum : IBinaryOperation, IIntegerOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => Vector512.Max(left, right);

    public static T Apply<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => T.Max(a, b);
}

/// <summary>The smaller; of a number and a NaN, the number.</summary>
internal readonly struct MinimumNumber : IBinaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => Vector512.MinNumber(left, right);
}

/// <summary>The larger; of a number and a NaN, the number.</summary>
internal readonly struct MaximumNumber : IBinaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => Vector512.MaxNumber(left, right);
}

internal readonly struct Negate : IUnaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> value)
        where T : unmanaged => -value;
}

internal readonly struct Absolute : IUnaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> value)
        where T : unmanaged => Vector512.Abs(value);
}

internal readonly struct SquareRoot : IUnaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> value)
        where T : unmanaged => Vector512.Sqrt(value);
}

internal readonly struct Reciprocal : IUnaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> value)
        where T : unmanaged => Vector512<T>.One / value;
}

internal readonly struct ReciprocalSquareRoot : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply<T>(Vector512<T> value)
        where T : unmanaged => Vector512<T>.One / Vector512.Sqrt(value);
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
    public static int Apply(int a, int b) => (int)Math.Clamp((long)a + b, int.MinValue, int.MaxValue);
}

internal readonly struct SubtractSaturate : ILaneBinary<int, int, int>
{
    public static int Apply(int a, int b) => (int)Math.Clamp((long)a - b, int.MinValue, int.MaxValue);
}

/// <summary>Integer quotient; all ones for a zero divisor, as the hardware does.</summary>
internal readonly struct IntegerDivide : IIntegerOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (T.IsZero(b))
            return ~T.Zero;
        return T.IsNegative(b) && b == ~T.Zero ? unchecked(T.Zero - a) : a / b;
    }
}

/// <summary>Integer remainder; the dividend for a zero divisor.</summary>
internal readonly struct IntegerRemainder : IIntegerOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T>
    {
        if (T.IsZero(b))
            return a;
        return T.IsNegative(b) && b == ~T.Zero ? T.Zero : a % b;
    }
}

/// <summary>mul.hi: the upper half of the product.</summary>
internal readonly struct MultiplyHigh : IIntegerOperation
{
    public static unsafe T Apply<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> =>
        T.CreateTruncating((Int128.CreateTruncating(a) * Int128.CreateTruncating(b)) >> (8 * sizeof(T)));
}
