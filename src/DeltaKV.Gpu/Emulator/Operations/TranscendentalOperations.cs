using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>ex2.approx: 2^x to about one unit in the last place, denormal results included.</summary>
internal readonly struct Exponential2 : IUnaryOperation<float, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> value)
    {
        // 2^x = 2^n * e^(f ln 2), n the nearest integer, f in [-0.5, 0.5].
        var x = Vector512.MinNative(Vector512.Create(130f), Vector512.MaxNative(Vector512.Create(-160f), value)); // a NaN comes through
        var n = Vector512.Round(x);
        var f = x - n;
        var p = Vector512.Create(1.5252734e-5f);
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1.5403530e-4f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1.3333558e-3f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(9.6181291e-3f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(5.5504109e-2f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(2.4022651e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(6.9314718e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512<float>.One);

        // Two half-sized scales, because 2^n alone leaves the exponent range at both ends.
        var exponent = Vector512.ConvertToInt32(n);
        var half = exponent >> 1;
        return p * Scale(half) * Scale(exponent - half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Scale(Vector512<int> exponent) => ((exponent + Vector512.Create(127)) << 23).AsSingle();
}

/// <summary>lg2.approx to about one unit in the last place: exponent plus a series in (m - 1) / (m + 1), m in [0.7, 1.4).</summary>
internal readonly struct Logarithm2 : IUnaryOperation<float, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> value)
    {
        var isTiny = Vector512.LessThan(value, Vector512.Create(1.17549435e-38f));
        var x = Vector512.ConditionalSelect(isTiny, value * Vector512.Create(8388608f), value);
        var bits = x.AsInt32() - Vector512.Create(0x3F35_04F3); // the bits of sqrt(1/2)
        var exponent = Vector512.ConvertToSingle(bits >> 23) - (isTiny & Vector512.Create(23f));
        var m = ((bits & Vector512.Create(0x007F_FFFF)) + Vector512.Create(0x3F35_04F3)).AsSingle();
        var t = (m - Vector512<float>.One) / (m + Vector512<float>.One);
        var square = t * t;
        var series = Vector512.Create(0.3215f);
        series = Vector512.FusedMultiplyAdd(series, square, Vector512.Create(0.41198585f));
        series = Vector512.FusedMultiplyAdd(series, square, Vector512.Create(0.57708019f));
        series = Vector512.FusedMultiplyAdd(series, square, Vector512.Create(0.96179670f));

        // 2 / ln 2 in two parts: its rounding would show where the logarithm is small.
        var low = Vector512.FusedMultiplyAdd(t, Vector512.Create(3.8525e-8f), series * square * t);
        var result = Vector512.FusedMultiplyAdd(t, Vector512.Create(2.8853900f), low) + exponent;
        result = Vector512.ConditionalSelect(
            Vector512.Equals(value, Vector512.Create(float.PositiveInfinity)), value, result);
        result = Vector512.ConditionalSelect(
            Vector512.GreaterThanOrEqual(value, Vector512<float>.Zero), result, Vector512.Create(float.NaN));
        return Vector512.ConditionalSelect(
            Vector512.Equals(value, Vector512<float>.Zero), Vector512.Create(float.NegativeInfinity), result);
    }
}

internal readonly struct Sine : IUnaryOperation<float, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> value) =>
        Circle.AreNear(value)
            ? Circle.Evaluate(value, Vector512<int>.Zero)
            : Circle.Choose(value, Circle.Evaluate(value, Vector512<int>.Zero), Vector512.Sin(value));
}

internal readonly struct Cosine : IUnaryOperation<float, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> value) =>
        Circle.AreNear(value)
            ? Circle.Evaluate(value, Vector512<int>.One)
            : Circle.Choose(value, Circle.Evaluate(value, Vector512<int>.One), Vector512.Cos(value));
}

/// <summary>Sine and cosine of arguments that single precision can reduce by quarter turns.</summary>
internal static class Circle
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Limit() => Vector512.Create(16384f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AreNear(Vector512<float> value) => Vector512.LessThanAll(Vector512.Abs(value), Limit());

    /// <summary>Lane by lane, so that a result never depends on its neighbours.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Choose(Vector512<float> value, Vector512<float> near, Vector512<float> far) =>
        Vector512.ConditionalSelect(Vector512.LessThan(Vector512.Abs(value), Limit()), near, far);

    /// <summary>The sine of the value plus so many quarter turns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Evaluate(Vector512<float> value, Vector512<int> quarters)
    {
        // The quarter turn in three parts, each subtracted without rounding the larger ones.
        var n = Vector512.Round(value * Vector512.Create(0.63661975f));
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-1.57079637f), value);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(4.37113883e-8f), r);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(1.71512451e-15f), r);
        var square = r * r;
        var sine = Vector512.FusedMultiplyAdd(square, Vector512.Create(-1.9515296e-4f), Vector512.Create(8.3321609e-3f));
        sine = Vector512.FusedMultiplyAdd(sine, square, Vector512.Create(-1.6666655e-1f));
        sine = Vector512.FusedMultiplyAdd(sine * square, r, r);
        var cosine = Vector512.FusedMultiplyAdd(square, Vector512.Create(2.4433157e-5f), Vector512.Create(-1.3887316e-3f));
        cosine = Vector512.FusedMultiplyAdd(cosine, square, Vector512.Create(4.1666646e-2f));
        cosine = Vector512.FusedMultiplyAdd(cosine, square, Vector512.Create(-0.5f));
        cosine = Vector512.FusedMultiplyAdd(cosine, square, Vector512<float>.One);
        var quarter = Vector512.ConvertToInt32(n) + quarters;
        var isOdd = Vector512.Equals(quarter & Vector512<int>.One, Vector512<int>.One).AsSingle();
        var result = Vector512.ConditionalSelect(isOdd, cosine, sine);
        return result ^ ((quarter & Vector512.Create(2)) << 30).AsSingle();
    }
}

/// <summary>tanh.approx: 1 - 2 / (e^2x + 1), and a series near zero where that would cancel.</summary>
internal readonly struct HyperbolicTangent : IUnaryOperation<float, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> value)
    {
        var exponential = Exponential2.Apply(value * Vector512.Create(2.8853900817779268f));
        var far = Vector512<float>.One - (Vector512.Create(2f) / (exponential + Vector512<float>.One));
        var square = value * value;
        var series = Vector512.FusedMultiplyAdd(square, Vector512.Create(-0.05396825f), Vector512.Create(0.13333334f));
        series = Vector512.FusedMultiplyAdd(series, square, Vector512.Create(-0.33333334f));
        var near = Vector512.FusedMultiplyAdd(series * square, value, value);
        return Vector512.ConditionalSelect(Vector512.LessThan(square, Vector512.Create(0.04f)), near, far);
    }
}
