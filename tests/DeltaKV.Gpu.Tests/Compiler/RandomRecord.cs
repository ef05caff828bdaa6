using System.Reflection;

namespace DeltaKV.Gpu.Tests.Compiler;

/// <summary>The struct random functions work on, and the helpers they call.</summary>
public struct RandomRecord
{
    internal static readonly FieldInfo[] Fields = typeof(RandomRecord).GetFields(BindingFlags.Instance | BindingFlags.Public);

    public int Number;
    public byte Small;
    public float SingleValue;
    public short ShortValue;
    public long LongValue;
    public double DoubleValue;

    public static long Hash(RandomRecord record) =>
        Mix(Mix(Mix(Mix(Mix(record.Number, (int)record.Small), record.SingleValue), (int)record.ShortValue), record.LongValue), record.DoubleValue);

    public static long Mix(long hash, int value) => (hash * 31) + value;

    public static long Mix(long hash, uint value) => (hash * 31) + value;

    public static long Mix(long hash, long value) => (hash * 31) ^ value;

    /// <remarks>NaN is NaN, whatever its bits.</remarks>
    public static long Mix(long hash, float value) => (hash * 31) + (float.IsNaN(value) ? 7 : BitConverter.SingleToInt32Bits(value));

    public static long Mix(long hash, double value) => (hash * 31) + (double.IsNaN(value) ? 7 : BitConverter.DoubleToInt64Bits(value));

    public static void Update(ref RandomRecord record, ref int target, int amount)
    {
        record.Number += amount;
        if (record.Number > target)
            target ^= record.Small;
        else
            record.Small++;
        (record.ShortValue, target) = ((short)target, record.ShortValue + 1);
    }

    public static int Divide(int a, int b) => b is 0 or -1 ? a : a / b;

    public static long Divide(long a, long b) => b is 0 or -1 ? a : a / b;

    public static uint Divide(uint a, uint b) => b == 0 ? a : a / b;

    public static int Remainder(int a, int b) => b is 0 or -1 ? a : a % b;

    public static long Remainder(long a, long b) => b is 0 or -1 ? a : a % b;

    public static uint Remainder(uint a, uint b) => b == 0 ? a : a % b;
}
