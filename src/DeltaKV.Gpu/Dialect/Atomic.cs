namespace DeltaKV.Gpu;

/// <summary>Atomic read-modify-write operations; all return the value before the operation.</summary>
public static class Atomic
{
    /// <summary>Adds a value.</summary>
    public static int Add(ref int target, int value) => throw KernelOnlyException.Here();

    /// <summary>Adds a value.</summary>
    public static uint Add(ref uint target, uint value) => throw KernelOnlyException.Here();

    /// <summary>Adds a value.</summary>
    public static long Add(ref long target, long value) => throw KernelOnlyException.Here();

    /// <summary>Adds a value.</summary>
    public static ulong Add(ref ulong target, ulong value) => throw KernelOnlyException.Here();

    /// <summary>Adds a value.</summary>
    public static float Add(ref float target, float value) => throw KernelOnlyException.Here();

    /// <summary>Adds a value.</summary>
    public static double Add(ref double target, double value) => throw KernelOnlyException.Here();

    /// <summary>Adds a value.</summary>
    public static BFloat16x2 Add(ref BFloat16x2 target, BFloat16x2 value) => throw KernelOnlyException.Here();

    /// <summary>Takes the smaller of target and value.</summary>
    public static int Min(ref int target, int value) => throw KernelOnlyException.Here();

    /// <summary>Takes the smaller of target and value.</summary>
    public static uint Min(ref uint target, uint value) => throw KernelOnlyException.Here();

    /// <summary>Takes the smaller of target and value.</summary>
    public static long Min(ref long target, long value) => throw KernelOnlyException.Here();

    /// <summary>Takes the smaller of target and value.</summary>
    public static ulong Min(ref ulong target, ulong value) => throw KernelOnlyException.Here();

    /// <summary>Takes the larger of target and value.</summary>
    public static int Max(ref int target, int value) => throw KernelOnlyException.Here();

    /// <summary>Takes the larger of target and value.</summary>
    public static uint Max(ref uint target, uint value) => throw KernelOnlyException.Here();

    /// <summary>Takes the larger of target and value.</summary>
    public static long Max(ref long target, long value) => throw KernelOnlyException.Here();

    /// <summary>Takes the larger of target and value.</summary>
    public static ulong Max(ref ulong target, ulong value) => throw KernelOnlyException.Here();

    /// <summary>Takes the bitwise and.</summary>
    public static int And(ref int target, int value) => throw KernelOnlyException.Here();

    /// <summary>Takes the bitwise and.</summary>
    public static uint And(ref uint target, uint value) => throw KernelOnlyException.Here();

    /// <summary>Takes the bitwise and.</summary>
    public static long And(ref long target, long value) => throw KernelOnlyException.Here();

    /// <summary>Takes the bitwise and.</summary>
    public static ulong And(ref ulong target, ulong value) => throw KernelOnlyException.Here();

    /// <summary>Takes the bitwise or.</summary>
    public static int Or(ref int target, int value) => throw KernelOnlyException.Here();

    /// <summary>Takes the bitwise or.</summary>
    public static uint Or(ref uint target, uint value) => throw KernelOnlyException.Here();

    /// <summary>Takes the bitwise or.</summary>
    public static long Or(ref long target, long value) => throw KernelOnlyException.Here();

    /// <summary>Takes the bitwise or.</summary>
    public static ulong Or(ref ulong target, ulong value) => throw KernelOnlyException.Here();

    /// <summary>Takes the bitwise exclusive or.</summary>
    public static int Xor(ref int target, int value) => throw KernelOnlyException.Here();

    /// <summary>Takes the bitwise exclusive or.</summary>
    public static uint Xor(ref uint target, uint value) => throw KernelOnlyException.Here();

    /// <summary>Takes the bitwise exclusive or.</summary>
    public static long Xor(ref long target, long value) => throw KernelOnlyException.Here();

    /// <summary>Takes the bitwise exclusive or.</summary>
    public static ulong Xor(ref ulong target, ulong value) => throw KernelOnlyException.Here();

    /// <summary>Stores a value.</summary>
    public static int Exchange(ref int target, int value) => throw KernelOnlyException.Here();

    /// <summary>Stores a value.</summary>
    public static uint Exchange(ref uint target, uint value) => throw KernelOnlyException.Here();

    /// <summary>Stores a value.</summary>
    public static long Exchange(ref long target, long value) => throw KernelOnlyException.Here();

    /// <summary>Stores a value.</summary>
    public static ulong Exchange(ref ulong target, ulong value) => throw KernelOnlyException.Here();

    /// <summary>Stores a value.</summary>
    public static float Exchange(ref float target, float value) => throw KernelOnlyException.Here();

    /// <summary>Stores a value.</summary>
    public static double Exchange(ref double target, double value) => throw KernelOnlyException.Here();

    /// <summary>Stores a value if the target equals <paramref name="compare"/>.</summary>
    public static int CompareExchange(ref int target, int compare, int value) => throw KernelOnlyException.Here();

    /// <summary>Stores a value if the target equals <paramref name="compare"/>.</summary>
    public static uint CompareExchange(ref uint target, uint compare, uint value) => throw KernelOnlyException.Here();

    /// <summary>Stores a value if the target equals <paramref name="compare"/>.</summary>
    public static long CompareExchange(ref long target, long compare, long value) => throw KernelOnlyException.Here();

    /// <summary>Stores a value if the target equals <paramref name="compare"/>.</summary>
    public static ulong CompareExchange(ref ulong target, ulong compare, ulong value) => throw KernelOnlyException.Here();

    /// <summary>Stores a value if the target equals <paramref name="compare"/>.</summary>
    public static float CompareExchange(ref float target, float compare, float value) => throw KernelOnlyException.Here();

    /// <summary>Stores a value if the target equals <paramref name="compare"/>.</summary>
    public static double CompareExchange(ref double target, double compare, double value) => throw KernelOnlyException.Here();

    /// <summary>Takes the smaller of target and value; a NaN value leaves the target as it is.</summary>
    /// <remarks>PTX has no float min: a compare-and-swap loop, or no write at all when the target already wins.</remarks>
    public static float Min(ref float target, float value)
    {
        var current = target;
        while (value < current)
        {
            var seen = CompareExchange(ref target, current, value);
            if (BitConverter.SingleToInt32Bits(seen) == BitConverter.SingleToInt32Bits(current))
                break;
            current = seen;
        }

        return current;
    }

    /// <summary>Takes the larger of target and value; a NaN value leaves the target as it is.</summary>
    /// <remarks>PTX has no float max: a compare-and-swap loop, or no write at all when the target already wins.</remarks>
    public static float Max(ref float target, float value)
    {
        var current = target;
        while (value > current)
        {
            var seen = CompareExchange(ref target, current, value);
            if (BitConverter.SingleToInt32Bits(seen) == BitConverter.SingleToInt32Bits(current))
                break;
            current = seen;
        }

        return current;
    }
}
