using System.Numerics;

namespace DeltaKV.Gpu.Tests.Kernels;

public static class UInt32Functions
{
    public static uint Add(uint a, uint b) => a + b;
    public static uint Subtract(uint a, uint b) => a - b;
    public static uint Multiply(uint a, uint b) => a * b;
    public static uint Divide(uint a, uint b) => b == 0 ? a : a / b;
    public static uint Remainder(uint a, uint b) => b == 0 ? a : a % b;
    public static uint DivideBy1(uint a) => a / 1;
    public static uint RemainderBy1(uint a) => a % 1;
    public static uint MultiplyBy1(uint a) => a * 1;
    public static uint DivideBy2(uint a) => a / 2;
    public static uint RemainderBy2(uint a) => a % 2;
    public static uint MultiplyBy2(uint a) => a * 2;
    public static uint DivideBy3(uint a) => a / 3;
    public static uint RemainderBy3(uint a) => a % 3;
    public static uint MultiplyBy3(uint a) => a * 3;
    public static uint DivideBy7(uint a) => a / 7;
    public static uint RemainderBy7(uint a) => a % 7;
    public static uint MultiplyBy7(uint a) => a * 7;
    public static uint DivideBy16(uint a) => a / 16;
    public static uint RemainderBy16(uint a) => a % 16;
    public static uint MultiplyBy16(uint a) => a * 16;
    public static uint DivideBy1000(uint a) => a / 1000;
    public static uint RemainderBy1000(uint a) => a % 1000;
    public static uint MultiplyBy1000(uint a) => a * 1000;
    public static uint And(uint a, uint b) => a & b;
    public static uint Or(uint a, uint b) => a | b;
    public static uint Xor(uint a, uint b) => a ^ b;
    public static uint Not(uint a) => ~a;
    public static long Negate(uint a) => -a;
    public static uint ShiftLeft(uint a, int b) => a << b;
    public static uint ShiftRight(uint a, int b) => a >> b;
    public static uint ShiftRightUnsigned(uint a, int b) => a >>> b;
    public static uint ShiftConstants(uint a) => (a << 3) ^ (a >> 5) ^ (a >>> 7) ^ (a << 31);
    public static bool Less(uint a, uint b) => a < b;
    public static int BranchLess(uint a, uint b) { if (a < b) return 1; return 2; }
    public static bool LessZero(uint a) => a < 0;
    public static bool LessOrEqual(uint a, uint b) => a <= b;
    public static int BranchLessOrEqual(uint a, uint b) { if (a <= b) return 1; return 2; }
    public static bool LessOrEqualZero(uint a) => a <= 0;
    public static bool Greater(uint a, uint b) => a > b;
    public static int BranchGreater(uint a, uint b) { if (a > b) return 1; return 2; }
    public static bool GreaterZero(uint a) => a > 0;
    public static bool GreaterOrEqual(uint a, uint b) => a >= b;
    public static int BranchGreaterOrEqual(uint a, uint b) { if (a >= b) return 1; return 2; }
    public static bool GreaterOrEqualZero(uint a) => a >= 0;
    public static bool Equal(uint a, uint b) => a == b;
    public static int BranchEqual(uint a, uint b) { if (a == b) return 1; return 2; }
    public static bool EqualZero(uint a) => a == 0;
    public static bool NotEqual(uint a, uint b) => a != b;
    public static int BranchNotEqual(uint a, uint b) { if (a != b) return 1; return 2; }
    public static bool NotEqualZero(uint a) => a != 0;
    public static sbyte ToSbyte(uint a) => (sbyte)a;
    public static byte ToByte(uint a) => (byte)a;
    public static short ToShort(uint a) => (short)a;
    public static ushort ToUshort(uint a) => (ushort)a;
    public static int ToInt(uint a) => (int)a;
    public static uint ToUint(uint a) => (uint)a;
    public static long ToLong(uint a) => (long)a;
    public static ulong ToUlong(uint a) => (ulong)a;
    public static float ToFloat(uint a) => (float)a;
    public static double ToDouble(uint a) => (double)a;
    public static char ToChar(uint a) => (char)a;
    public static uint Min(uint a, uint b) => Math.Min(a, b);
    public static uint Max(uint a, uint b) => Math.Max(a, b);
    public static uint Clamp(uint a, uint b, uint c) => Math.Clamp(a, Math.Min(b, c), Math.Max(b, c));
    public static int PopCount(uint a) => BitOperations.PopCount(a);
    public static int LeadingZeros(uint a) => BitOperations.LeadingZeroCount(a);
    public static int TrailingZeros(uint a) => BitOperations.TrailingZeroCount(a);
    public static int Log2(uint a) => BitOperations.Log2(a);
    public static bool IsPowerOfTwo(uint a) => BitOperations.IsPow2(a);
    public static uint RotateLeft(uint a, int b) => BitOperations.RotateLeft(a, b);
    public static uint RotateRight(uint a, int b) => BitOperations.RotateRight(a, b);
    public static ulong Product(uint a, uint b) => Math.BigMul(a, b);
}
