namespace DeltaKV.Gpu;

/// <summary>Reductions over the 32 lanes of a warp; every lane gets the result. An extension to ILGPU's dialect.</summary>
public static class WarpReduce
{
    /// <summary>The sum, added pairwise in butterfly order.</summary>
    public static float Sum(float value)
    {
        for (var step = 0; step < Unroll.Full(5); step++)
            value += Warp.ShuffleXor(value, 16 >> step);
        return value;
    }

    /// <summary>The sum.</summary>
    public static int Sum(int value)
    {
        for (var step = 0; step < Unroll.Full(5); step++)
            value += Warp.ShuffleXor(value, 16 >> step);
        return value;
    }

    /// <summary>The largest value.</summary>
    public static float Max(float value)
    {
        for (var step = 0; step < Unroll.Full(5); step++)
            value = MathF.Max(value, Warp.ShuffleXor(value, 16 >> step));
        return value;
    }

    /// <summary>The smallest value.</summary>
    public static float Min(float value)
    {
        for (var step = 0; step < Unroll.Full(5); step++)
            value = MathF.Min(value, Warp.ShuffleXor(value, 16 >> step));
        return value;
    }
}
