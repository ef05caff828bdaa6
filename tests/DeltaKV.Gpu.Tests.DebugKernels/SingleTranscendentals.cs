namespace DeltaKV.Gpu.Tests.Kernels;

/// <summary>Members that are close to .NET's, not equal to them.</summary>
public static class SingleTranscendentals
{
    public static float Exp(float a) => MathF.Exp(a);
    public static float Log(float a) => MathF.Log(a);
    public static float Log2(float a) => MathF.Log2(a);
    public static float Log10(float a) => MathF.Log10(a);
    public static float Sin(float a) => MathF.Sin(a);
    public static float Cos(float a) => MathF.Cos(a);
    public static float Tan(float a) => MathF.Tan(a);
    public static float Sinh(float a) => MathF.Sinh(a);
    public static float Cosh(float a) => MathF.Cosh(a);
    public static float Tanh(float a) => MathF.Tanh(a);
    public static float Cbrt(float a) => MathF.Cbrt(a);
    public static float Atan(float a) => MathF.Atan(a);
    public static float Asin(float a) => MathF.Asin(a);
    public static float Acos(float a) => MathF.Acos(a);
    public static float Atan2(float a, float b) => MathF.Atan2(a, b);
    public static float Pow(float a, float b) => MathF.Pow(a, b);
}
