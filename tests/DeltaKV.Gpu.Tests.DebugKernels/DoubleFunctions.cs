namespace DeltaKV.Gpu.Tests.Kernels;

public static class DoubleFunctions
{
    public static double Add(double a, double b) => a + b;
    public static double Subtract(double a, double b) => a - b;
    public static double Multiply(double a, double b) => a * b;
    public static double Divide(double a, double b) => a / b;
    public static double Remainder(double a, double b) => a % b;
    public static double Negate(double a) => -a;
    public static double NotContracted(double a, double b, double c) => (a * b) + c;
    public static double Constants(double a) => (a * 1) + (a / 4) - (a / 3) + (0 * a) - 0;
    public static bool Less(double a, double b) => a < b;
    public static bool InvertedLess(double a, double b) => !(a < b);
    public static int BranchLess(double a, double b) { if (a < b) return 1; return 2; }
    public static int BranchInvertedLess(double a, double b) { if (!(a < b)) return 1; return 2; }
    public static bool LessOrEqual(double a, double b) => a <= b;
    public static bool InvertedLessOrEqual(double a, double b) => !(a <= b);
    public static int BranchLessOrEqual(double a, double b) { if (a <= b) return 1; return 2; }
    public static int BranchInvertedLessOrEqual(double a, double b) { if (!(a <= b)) return 1; return 2; }
    public static bool Greater(double a, double b) => a > b;
    public static bool InvertedGreater(double a, double b) => !(a > b);
    public static int BranchGreater(double a, double b) { if (a > b) return 1; return 2; }
    public static int BranchInvertedGreater(double a, double b) { if (!(a > b)) return 1; return 2; }
    public static bool GreaterOrEqual(double a, double b) => a >= b;
    public static bool InvertedGreaterOrEqual(double a, double b) => !(a >= b);
    public static int BranchGreaterOrEqual(double a, double b) { if (a >= b) return 1; return 2; }
    public static int BranchInvertedGreaterOrEqual(double a, double b) { if (!(a >= b)) return 1; return 2; }
    public static bool Equal(double a, double b) => a == b;
    public static bool InvertedEqual(double a, double b) => !(a == b);
    public static int BranchEqual(double a, double b) { if (a == b) return 1; return 2; }
    public static int BranchInvertedEqual(double a, double b) { if (!(a == b)) return 1; return 2; }
    public static bool NotEqual(double a, double b) => a != b;
    public static bool InvertedNotEqual(double a, double b) => !(a != b);
    public static int BranchNotEqual(double a, double b) { if (a != b) return 1; return 2; }
    public static int BranchInvertedNotEqual(double a, double b) { if (!(a != b)) return 1; return 2; }
    public static sbyte ToSbyte(double a) => unchecked((sbyte)a);
    public static byte ToByte(double a) => unchecked((byte)a);
    public static short ToShort(double a) => unchecked((short)a);
    public static ushort ToUshort(double a) => unchecked((ushort)a);
    public static int ToInt(double a) => unchecked((int)a);
    public static uint ToUint(double a) => unchecked((uint)a);
    public static long ToLong(double a) => unchecked((long)a);
    public static ulong ToUlong(double a) => unchecked((ulong)a);
    public static float ToFloat(double a) => unchecked((float)a);
    public static double ToDouble(double a) => unchecked((double)a);
    public static double Abs(double a) => Math.Abs(a);
    public static double Sqrt(double a) => Math.Sqrt(a);
    public static double Floor(double a) => Math.Floor(a);
    public static double Ceiling(double a) => Math.Ceiling(a);
    public static double Truncate(double a) => Math.Truncate(a);
    public static double Round(double a) => Math.Round(a);
    public static double Min(double a, double b) => Math.Min(a, b);
    public static double Max(double a, double b) => Math.Max(a, b);
    public static double CopySign(double a, double b) => Math.CopySign(a, b);
    public static double FusedMultiplyAdd(double a, double b, double c) => Math.FusedMultiplyAdd(a, b, c);
    public static double Clamp(double a) => Math.Clamp(a, -2, 3);
    public static int Sign(double a) => double.IsNaN(a) ? 7 : Math.Sign(a);
    public static bool IsNaN(double a) => double.IsNaN(a);
    public static bool IsInfinity(double a) => double.IsInfinity(a);
    public static bool IsFinite(double a) => double.IsFinite(a);
    public static bool IsNegative(double a) => double.IsNegative(a);
    public static bool IsPositiveInfinity(double a) => double.IsPositiveInfinity(a);
    public static long Bits(double a) => double.IsNaN(a) ? 0 : BitConverter.DoubleToInt64Bits(a);
}
