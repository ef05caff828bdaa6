namespace DeltaKV.Gpu;

/// <summary>Marks loops that must be unrolled. An extension to ILGPU's dialect.</summary>
public static class Unroll
{
    /// <summary>
    /// The bound of a loop that is fully unrolled: <c>for (var i = 0; i &lt; Unroll.Full(8); i++)</c>. A trip count that is not a
    /// compile-time constant is a compile error. The value itself is <paramref name="bound"/>.
    /// </summary>
    public static int Full(int bound) => bound;
}
