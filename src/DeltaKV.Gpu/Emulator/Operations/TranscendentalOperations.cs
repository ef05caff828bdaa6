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

internal readonly struct Logarithm2 : IUnaryOperation<float, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> value) => Vector512.Log2(value);
}

internal readonly struct Sine : IUnaryOperation<float, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> value) => Vector512.Sin(value);
}

internal readonly struct Cosine : IUnaryOperation<float, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Apply(Vector512<float> value) => Vector512.Cos(value);
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
