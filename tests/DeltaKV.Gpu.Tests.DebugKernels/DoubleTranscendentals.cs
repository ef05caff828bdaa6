namespace DeltaKV.Gpu.Tests.Kernels;

/// <summary>Members that are close to .NET's, not equal to them.</summary>
public static class DoubleTranscendentals
{
    public static double Exp(double a) => Math.Exp(a);
    public static double Log(double a) => Math.Log(a);
    public static double Log2(double a) => Math.Log2(a);
    public static double Log10(double a) => Math.Log10(a);
    public static double Sin(double a) => Math.Sin(a);
    public static double Cos(double a) => Math.Cos(a);
    public static double Tan(double a) => Math.Tan(a);
    public static double Sinh(double a) => Math.Sinh(a);
    public static double Cosh(double a) => Math.Cosh(a);
    public static double Tanh(double a) => Math.Tanh(a);
    public static double Cbrt(double a) => Math.Cbrt(a);
    public static double Atan(double a) => Math.Atan(a);
    public static double Asin(double a) => Math.Asin(a);
    public static double Acos(double a) => Math.Acos(a);
    public static double Atan2(double a, double b) => Math.Atan2(a, b);
    public static double Pow(double a, double b) => Math.Pow(a, b);
}
