namespace DeltaKV.Gpu.Tests.Kernels;

public static class SingleFunctions
{
    public static float Add(float a, float b) => a + b;
    public static float Subtract(float a, float b) => a - b;
    public static float Multiply(float a, float b) => a * b;
    public static float Divide(float a, float b) => a / b;
    public static float Remainder(float a, float b) => a % b;
    public static float Negate(float a) => -a;
    public static float NotContracted(float a, float b, float c) => (a * b) + c;
    public static float Constants(float a) => (a * 1f) + (a / 4f) - (a / 3f) + (0f * a) - 0f;
    public static bool Less(float a, float b) => a < b;
    public static bool InvertedLess(float a, float b) => !(a < b);
    public static int BranchLess(float a, float b) { if (a < b) return 1; return 2; }
    public static int BranchInvertedLess(float a, float b) { if (!(a < b)) return 1; return 2; }
    public static bool LessOrEqual(float a, float b) => a <= b;
    public static bool InvertedLessOrEqual(float a, float b) => !(a <= b);
    public static int BranchLessOrEqual(float a, float b) { if (a <= b) return 1; return 2; }
    public static int BranchInvertedLessOrEqual(float a, float b) { if (!(a <= b)) return 1; return 2; }
    public static bool Greater(float a, float b) => a > b;
    public static bool InvertedGreater(float a, float b) => !(a > b);
    public static int BranchGreater(float a, float b) { if (a > b) return 1; return 2; }
    public static int BranchInvertedGreater(float a, float b) { if (!(a > b)) return 1; return 2; }
    public static bool GreaterOrEqual(float a, float b) => a >= b;
    public static bool InvertedGreaterOrEqual(float a, float b) => !(a >= b);
    public static int BranchGreaterOrEqual(float a, float b) { if (a >= b) return 1; return 2; }
    public static int BranchInvertedGreaterOrEqual(float a, float b) { if (!(a >= b)) return 1; return 2; }
    public static bool Equal(float a, float b) => a == b;
    public static bool InvertedEqual(float a, float b) => !(a == b);
    public static int BranchEqual(float a, float b) { if (a == b) return 1; return 2; }
    public static int BranchInvertedEqual(float a, float b) { if (!(a == b)) return 1; return 2; }
    public static bool NotEqual(float a, float b) => a != b;
    public static bool InvertedNotEqual(float a, float b) => !(a != b);
    public static int BranchNotEqual(float a, float b) { if (a != b) return 1; return 2; }
    public static int BranchInvertedNotEqual(float a, float b) { if (!(a != b)) return 1; return 2; }
    public static sbyte ToSbyte(float a) => unchecked((sbyte)a);
    public static byte ToByte(float a) => unchecked((byte)a);
    public static short ToShort(float a) => unchecked((short)a);
    public static ushort ToUshort(float a) => unchecked((ushort)a);
    public static int ToInt(float a) => unchecked((int)a);
    public static uint ToUint(float a) => unchecked((uint)a);
    public static long ToLong(float a) => unchecked((long)a);
    public static ulong ToUlong(float a) => unchecked((ulong)a);
    public static float ToFloat(float a) => unchecked((float)a);
    public static double ToDouble(float a) => unchecked((double)a);
    public static float Abs(float a) => MathF.Abs(a);
    public static float Sqrt(float a) => MathF.Sqrt(a);
    public static float Floor(float a) => MathF.Floor(a);
    public static float Ceiling(float a) => MathF.Ceiling(a);
    public static float Truncate(float a) => MathF.Truncate(a);
    public static float Round(float a) => MathF.Round(a);
    public static float Min(float a, float b) => MathF.Min(a, b);
    public static float Max(float a, float b) => MathF.Max(a, b);
    public static float CopySign(float a, float b) => MathF.CopySign(a, b);
    public static float FusedMultiplyAdd(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);
    public static float Clamp(float a) => Math.Clamp(a, -2f, 3f);
    public static int Sign(float a) => float.IsNaN(a) ? 7 : MathF.Sign(a);
    public static bool IsNaN(float a) => float.IsNaN(a);
    public static bool IsInfinity(float a) => float.IsInfinity(a);
    public static bool IsFinite(float a) => float.IsFinite(a);
    public static bool IsNegative(float a) => float.IsNegative(a);
    public static bool IsPositiveInfinity(float a) => float.IsPositiveInfinity(a);
    public static int Bits(float a) => float.IsNaN(a) ? 0 : BitConverter.SingleToInt32Bits(a);
}
