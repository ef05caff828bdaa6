namespace DeltaKV.Gpu.Tests.Kernels;

public static class HalfFunctions
{
    public static float HalfAdd(float a, float b) => (float)((System.Half)a + (System.Half)b);
    public static float HalfSubtract(float a, float b) => (float)((System.Half)a - (System.Half)b);
    public static float HalfMultiply(float a, float b) => (float)((System.Half)a * (System.Half)b);
    public static float HalfDivide(float a, float b) => (float)((System.Half)a / (System.Half)b);
    public static bool HalfLess(float a, float b) => (System.Half)a < (System.Half)b;
    public static bool HalfGreaterOrEqual(float a, float b) => (System.Half)a >= (System.Half)b;
    public static bool HalfEqual(float a, float b) => (System.Half)a == (System.Half)b;
    public static float HalfNegate(float a) => (float)-(System.Half)a;
    public static float GpuHalfAdd(float a, float b) => (float)((DeltaKV.Gpu.Half)a + (DeltaKV.Gpu.Half)b);
    public static float GpuHalfSubtract(float a, float b) => (float)((DeltaKV.Gpu.Half)a - (DeltaKV.Gpu.Half)b);
    public static float GpuHalfMultiply(float a, float b) => (float)((DeltaKV.Gpu.Half)a * (DeltaKV.Gpu.Half)b);
    public static float GpuHalfDivide(float a, float b) => (float)((DeltaKV.Gpu.Half)a / (DeltaKV.Gpu.Half)b);
    public static bool GpuHalfLess(float a, float b) => (DeltaKV.Gpu.Half)a < (DeltaKV.Gpu.Half)b;
    public static bool GpuHalfGreaterOrEqual(float a, float b) => (DeltaKV.Gpu.Half)a >= (DeltaKV.Gpu.Half)b;
    public static bool GpuHalfEqual(float a, float b) => (DeltaKV.Gpu.Half)a == (DeltaKV.Gpu.Half)b;
    public static float GpuHalfNegate(float a) => (float)-(DeltaKV.Gpu.Half)a;
    public static float BFloat16Add(float a, float b) => (float)((BFloat16)a + (BFloat16)b);
    public static float BFloat16Subtract(float a, float b) => (float)((BFloat16)a - (BFloat16)b);
    public static float BFloat16Multiply(float a, float b) => (float)((BFloat16)a * (BFloat16)b);
    public static float BFloat16Divide(float a, float b) => (float)((BFloat16)a / (BFloat16)b);
    public static bool BFloat16Less(float a, float b) => (BFloat16)a < (BFloat16)b;
    public static bool BFloat16GreaterOrEqual(float a, float b) => (BFloat16)a >= (BFloat16)b;
    public static bool BFloat16Equal(float a, float b) => (BFloat16)a == (BFloat16)b;
    public static float BFloat16Negate(float a) => (float)-(BFloat16)a;
    public static System.Half HalfStored(System.Half a) => a;
    public static double HalfToDouble(float a) => (double)(System.Half)a;
    public static ushort HalfBits(float a) => float.IsNaN(a) ? (ushort)0 : BitConverter.HalfToUInt16Bits((System.Half)a);
    public static float HalfFromBits(ushort a) => (float)BitConverter.UInt16BitsToHalf(a);
    public static float PairSum(float a, float b) { var pair = BFloat16x2.FromSingles(a, b); return pair.Low + pair.High; }
}
