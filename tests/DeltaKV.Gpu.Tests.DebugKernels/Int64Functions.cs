namespace DeltaKV.Gpu.Tests.Kernels;

public static class Int64Functions
{
    public static long Add(long a, long b) => a + b;
    public static long Subtract(long a, long b) => a - b;
    public static long Multiply(long a, long b) => a * b;
    public static long Divide(long a, long b) => b is 0 or -1 ? a : a / b;
    public static long Remainder(long a, long b) => b is 0 or -1 ? a : a % b;
    public static long DivideBy1(long a) => a / 1;
    public static long RemainderBy1(long a) => a % 1;
    public static long MultiplyBy1(long a) => a * 1;
    public static long DivideBy2(long a) => a / 2;
    public static long RemainderBy2(long a) => a % 2;
    public static long MultiplyBy2(long a) => a * 2;
    public static long DivideBy3(long a) => a / 3;
    public static long RemainderBy3(long a) => a % 3;
    public static long MultiplyBy3(long a) => a * 3;
    public static long DivideBy7(long a) => a / 7;
    public static long RemainderBy7(long a) => a % 7;
    public static long MultiplyBy7(long a) => a * 7;
    public static long DivideBy16(long a) => a / 16;
    public static long RemainderBy16(long a) => a % 16;
    public static long MultiplyBy16(long a) => a * 16;
    public static long DivideBy1000(long a) => a / 1000;
    public static long RemainderBy1000(long a) => a % 1000;
    public static long MultiplyBy1000(long a) => a * 1000;
    public static long DivideByMinus4(long a) => a / -4;
    public static long RemainderByMinus4(long a) => a % -4;
    public static long MultiplyByMinus4(long a) => a * -4;
    public static long And(long a, long b) => a & b;
    public static long Or(long a, long b) => a | b;
    public static long Xor(long a, long b) => a ^ b;
    public static long Not(long a) => ~a;
    public static long Negate(long a) => -a;
    public static long ShiftLeft(long a, int b) => a << b;
    public static long ShiftRight(long a, int b) => a >> b;
    public static long ShiftRightUnsigned(long a, int b) => a >>> b;
    public static long ShiftConstants(long a) => (a << 3) ^ (a >> 5) ^ (a >>> 7) ^ (a << 63);
    public static bool Less(long a, long b) => a < b;
    public static int BranchLess(long a, long b) { if (a < b) return 1; return 2; }
    public static bool LessZero(long a) => a < 0;
    public static bool LessOrEqual(long a, long b) => a <= b;
    public static int BranchLessOrEqual(long a, long b) { if (a <= b) return 1; return 2; }
    public static bool LessOrEqualZero(long a) => a <= 0;
    public static bool Greater(long a, long b) => a > b;
    public static int BranchGreater(long a, long b) { if (a > b) return 1; return 2; }
    public static bool GreaterZero(long a) => a > 0;
    public static bool GreaterOrEqual(long a, long b) => a >= b;
    public static int BranchGreaterOrEqual(long a, long b) { if (a >= b) return 1; return 2; }
    public static bool GreaterOrEqualZero(long a) => a >= 0;
    public static bool Equal(long a, long b) => a == b;
    public static int BranchEqual(long a, long b) { if (a == b) return 1; return 2; }
    public static bool EqualZero(long a) => a == 0;
    public static bool NotEqual(long a, long b) => a != b;
    public static int BranchNotEqual(long a, long b) { if (a != b) return 1; return 2; }
    public static bool NotEqualZero(long a) => a != 0;
    public static sbyte ToSbyte(long a) => (sbyte)a;
    public static byte ToByte(long a) => (byte)a;
    public static short ToShort(long a) => (short)a;
    public static ushort ToUshort(long a) => (ushort)a;
    public static int ToInt(long a) => (int)a;
    public static uint ToUint(long a) => (uint)a;
    public static long ToLong(long a) => (long)a;
    public static ulong ToUlong(long a) => (ulong)a;
    public static float ToFloat(long a) => (float)a;
    public static double ToDouble(long a) => (double)a;
    public static char ToChar(long a) => (char)a;
    public static long Min(long a, long b) => Math.Min(a, b);
    public static long Max(long a, long b) => Math.Max(a, b);
    public static long Clamp(long a, long b, long c) => Math.Clamp(a, Math.Min(b, c), Math.Max(b, c));
    public static long Abs(long a) => a == long.MinValue ? a : Math.Abs(a);
    public static int Sign(long a) => Math.Sign(a);
    public static double BitsToDouble(long a) => BitConverter.Int64BitsToDouble(a);
}
