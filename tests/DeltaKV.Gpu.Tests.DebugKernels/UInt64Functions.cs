using System.Numerics;

namespace DeltaKV.Gpu.Tests.Kernels;

public static class UInt64Functions
{
    public static ulong Add(ulong a, ulong b) => a + b;
    public static ulong Subtract(ulong a, ulong b) => a - b;
    public static ulong Multiply(ulong a, ulong b) => a * b;
    public static ulong Divide(ulong a, ulong b) => b == 0 ? a : a / b;
    public static ulong Remainder(ulong a, ulong b) => b == 0 ? a : a % b;
    public static ulong DivideBy1(ulong a) => a / 1;
    public static ulong RemainderBy1(ulong a) => a % 1;
    public static ulong MultiplyBy1(ulong a) => a * 1;
    public static ulong DivideBy2(ulong a) => a / 2;
    public static ulong RemainderBy2(ulong a) => a % 2;
    public static ulong MultiplyBy2(ulong a) => a * 2;
    public static ulong DivideBy3(ulong a) => a / 3;
    public static ulong RemainderBy3(ulong a) => a % 3;
    public static ulong MultiplyBy3(ulong a) => a * 3;
    public static ulong DivideBy7(ulong a) => a / 7;
    public static ulong RemainderBy7(ulong a) => a % 7;
    public static ulong MultiplyBy7(ulong a) => a * 7;
    public static ulong DivideBy16(ulong a) => a / 16;
    public static ulong RemainderBy16(ulong a) => a % 16;
    public static ulong MultiplyBy16(ulong a) => a * 16;
    public static ulong DivideBy1000(ulong a) => a / 1000;
    public static ulong RemainderBy1000(ulong a) => a % 1000;
    public static ulong MultiplyBy1000(ulong a) => a * 1000;
    public static ulong And(ulong a, ulong b) => a & b;
    public static ulong Or(ulong a, ulong b) => a | b;
    public static ulong Xor(ulong a, ulong b) => a ^ b;
    public static ulong Not(ulong a) => ~a;
    public static ulong ShiftLeft(ulong a, int b) => a << b;
    public static ulong ShiftRight(ulong a, int b) => a >> b;
    public static ulong ShiftRightUnsigned(ulong a, int b) => a >>> b;
    public static ulong ShiftConstants(ulong a) => (a << 3) ^ (a >> 5) ^ (a >>> 7) ^ (a << 63);
    public static bool Less(ulong a, ulong b) => a < b;
    public static int BranchLess(ulong a, ulong b) { if (a < b) return 1; return 2; }
    public static bool LessZero(ulong a) => a < 0;
    public static bool LessOrEqual(ulong a, ulong b) => a <= b;
    public static int BranchLessOrEqual(ulong a, ulong b) { if (a <= b) return 1; return 2; }
    public static bool LessOrEqualZero(ulong a) => a <= 0;
    public static bool Greater(ulong a, ulong b) => a > b;
    public static int BranchGreater(ulong a, ulong b) { if (a > b) return 1; return 2; }
    public static bool GreaterZero(ulong a) => a > 0;
    public static bool GreaterOrEqual(ulong a, ulong b) => a >= b;
    public static int BranchGreaterOrEqual(ulong a, ulong b) { if (a >= b) return 1; return 2; }
    public static bool GreaterOrEqualZero(ulong a) => a >= 0;
    public static bool Equal(ulong a, ulong b) => a == b;
    public static int BranchEqual(ulong a, ulong b) { if (a == b) return 1; return 2; }
    public static bool EqualZero(ulong a) => a == 0;
    public static bool NotEqual(ulong a, ulong b) => a != b;
    public static int BranchNotEqual(ulong a, ulong b) { if (a != b) return 1; return 2; }
    public static bool NotEqualZero(ulong a) => a != 0;
    public static sbyte ToSbyte(ulong a) => (sbyte)a;
    public static byte ToByte(ulong a) => (byte)a;
    public static short ToShort(ulong a) => (short)a;
    public static ushort ToUshort(ulong a) => (ushort)a;
    public static int ToInt(ulong a) => (int)a;
    public static uint ToUint(ulong a) => (uint)a;
    public static long ToLong(ulong a) => (long)a;
    public static ulong ToUlong(ulong a) => (ulong)a;
    public static float ToFloat(ulong a) => (float)a;
    public static double ToDouble(ulong a) => (double)a;
    public static char ToChar(ulong a) => (char)a;
    public static ulong Min(ulong a, ulong b) => Math.Min(a, b);
    public static ulong Max(ulong a, ulong b) => Math.Max(a, b);
    public static ulong Clamp(ulong a, ulong b, ulong c) => Math.Clamp(a, Math.Min(b, c), Math.Max(b, c));
    public static int PopCount(ulong a) => BitOperations.PopCount(a);
    public static int LeadingZeros(ulong a) => BitOperations.LeadingZeroCount(a);
    public static int TrailingZeros(ulong a) => BitOperations.TrailingZeroCount(a);
    public static int Log2(ulong a) => BitOperations.Log2(a);
    public static bool IsPowerOfTwo(ulong a) => BitOperations.IsPow2(a);
    public static ulong RotateLeft(ulong a, int b) => BitOperations.RotateLeft(a, b);
    public static ulong RotateRight(ulong a, int b) => BitOperations.RotateRight(a, b);
}
