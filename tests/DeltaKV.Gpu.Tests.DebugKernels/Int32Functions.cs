namespace DeltaKV.Gpu.Tests.Kernels;

public static class Int32Functions
{
    public static int Add(int a, int b) => a + b;
    public static int Subtract(int a, int b) => a - b;
    public static int Multiply(int a, int b) => a * b;
    public static int Divide(int a, int b) => b is 0 or -1 ? a : a / b;
    public static int Remainder(int a, int b) => b is 0 or -1 ? a : a % b;
    public static int DivideBy1(int a) => a / 1;
    public static int RemainderBy1(int a) => a % 1;
    public static int MultiplyBy1(int a) => a * 1;
    public static int DivideBy2(int a) => a / 2;
    public static int RemainderBy2(int a) => a % 2;
    public static int MultiplyBy2(int a) => a * 2;
    public static int DivideBy3(int a) => a / 3;
    public static int RemainderBy3(int a) => a % 3;
    public static int MultiplyBy3(int a) => a * 3;
    public static int DivideBy7(int a) => a / 7;
    public static int RemainderBy7(int a) => a % 7;
    public static int MultiplyBy7(int a) => a * 7;
    public static int DivideBy16(int a) => a / 16;
    public static int RemainderBy16(int a) => a % 16;
    public static int MultiplyBy16(int a) => a * 16;
    public static int DivideBy1000(int a) => a / 1000;
    public static int RemainderBy1000(int a) => a % 1000;
    public static int MultiplyBy1000(int a) => a * 1000;
    public static int DivideByMinus4(int a) => a / -4;
    public static int RemainderByMinus4(int a) => a % -4;
    public static int MultiplyByMinus4(int a) => a * -4;
    public static int And(int a, int b) => a & b;
    public static int Or(int a, int b) => a | b;
    public static int Xor(int a, int b) => a ^ b;
    public static int Not(int a) => ~a;
    public static int Negate(int a) => -a;
    public static int ShiftLeft(int a, int b) => a << b;
    public static int ShiftRight(int a, int b) => a >> b;
    public static int ShiftRightUnsigned(int a, int b) => a >>> b;
    public static int ShiftConstants(int a) => (a << 3) ^ (a >> 5) ^ (a >>> 7) ^ (a << 31);
    public static bool Less(int a, int b) => a < b;
    public static int BranchLess(int a, int b) { if (a < b) return 1; return 2; }
    public static bool LessZero(int a) => a < 0;
    public static bool LessOrEqual(int a, int b) => a <= b;
    public static int BranchLessOrEqual(int a, int b) { if (a <= b) return 1; return 2; }
    public static bool LessOrEqualZero(int a) => a <= 0;
    public static bool Greater(int a, int b) => a > b;
    public static int BranchGreater(int a, int b) { if (a > b) return 1; return 2; }
    public static bool GreaterZero(int a) => a > 0;
    public static bool GreaterOrEqual(int a, int b) => a >= b;
    public static int BranchGreaterOrEqual(int a, int b) { if (a >= b) return 1; return 2; }
    public static bool GreaterOrEqualZero(int a) => a >= 0;
    public static bool Equal(int a, int b) => a == b;
    public static int BranchEqual(int a, int b) { if (a == b) return 1; return 2; }
    public static bool EqualZero(int a) => a == 0;
    public static bool NotEqual(int a, int b) => a != b;
    public static int BranchNotEqual(int a, int b) { if (a != b) return 1; return 2; }
    public static bool NotEqualZero(int a) => a != 0;
    public static sbyte ToSbyte(int a) => (sbyte)a;
    public static byte ToByte(int a) => (byte)a;
    public static short ToShort(int a) => (short)a;
    public static ushort ToUshort(int a) => (ushort)a;
    public static int ToInt(int a) => (int)a;
    public static uint ToUint(int a) => (uint)a;
    public static long ToLong(int a) => (long)a;
    public static ulong ToUlong(int a) => (ulong)a;
    public static float ToFloat(int a) => (float)a;
    public static double ToDouble(int a) => (double)a;
    public static char ToChar(int a) => (char)a;
    public static int Min(int a, int b) => Math.Min(a, b);
    public static int Max(int a, int b) => Math.Max(a, b);
    public static int Clamp(int a, int b, int c) => Math.Clamp(a, Math.Min(b, c), Math.Max(b, c));
    public static int Abs(int a) => a == int.MinValue ? a : Math.Abs(a);
    public static int Sign(int a) => Math.Sign(a);
    public static long Product(int a, int b) => Math.BigMul(a, b);
    public static float BitsToSingle(int a) => BitConverter.Int32BitsToSingle(a);
}
