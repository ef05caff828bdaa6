using System.Numerics;

namespace DeltaKV.Gpu.Tests.Kernels;

/// <summary>Members of the runtime that need no help of the compiler's: it reads their IL.</summary>
public static class RuntimeFunctions
{
    public static int Quotient(int a, int b) => b is 0 or -1 ? a : Math.DivRem(a, b, out _);

    public static ulong HighProduct(ulong a, ulong b) => Math.BigMul(a, b, out _);

    public static long HighProductSigned(long a, long b) => Math.BigMul(a, b, out _);

    public static float AwayFromZero(float a) => MathF.Round(a, MidpointRounding.AwayFromZero);

    public static double ToZero(double a) => Math.Round(a, MidpointRounding.ToZero);

    public static float ScaleB(float a, int b) => MathF.ScaleB(a, b % 300);

    public static int ILogB(float a) => MathF.ILogB(a);

    public static float MaxMagnitude(float a, float b) => MathF.MaxMagnitude(a, b);

    public static int Compare(float a, float b) => a.CompareTo(b);

    public static bool Same(long a, long b) => a.Equals(b);

    public static uint RoundUp(uint a) => BitOperations.RoundUpToPowerOf2(a);

    public static int Cast(long a) => int.CreateTruncating(a);

    public static int Saturate(float a) => int.CreateSaturating(a);

    public static long Generic(int a) => Widen(a) + Widen((long)a);

    public static bool IsEven(int a) => int.IsEvenInteger(a);

    public static bool Letter(char a) => char.IsAsciiLetter(a);

    private static long Widen<T>(T value)
        where T : struct
    {
        if (typeof(T) == typeof(int))
            return (int)(object)value;
        return value is long number ? number * 2 : 0;
    }
}
