using System.Numerics;
using System.Reflection;

namespace DeltaKV.Gpu.Compiler.Library;

/// <summary>The members of <c>MathF</c> that are not those of <see cref="DoubleMath"/> computed in double and rounded once.</summary>
/// <remarks>All are within 1 unit in the last place of the true value, except sines, cosines and tangents beyond 2^30, which are NaN. For speed use <see cref="FastMath"/>.</remarks>
internal static class SingleMath
{
    public static MethodInfo RemainderMethod { get; } = Find(nameof(Remainder), 2)!;

    public static MethodInfo? Find(string name, int arguments) =>
        typeof(SingleMath).GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic, [.. Enumerable.Repeat(typeof(float), arguments)]);

    private static float Log(float x, float newBase) => (float)DoubleMath.Log(x) / (float)DoubleMath.Log(newBase);

    private static float ReciprocalEstimate(float x) => FastMath.Rcp(x);

    private static float ReciprocalSqrtEstimate(float x) => FastMath.Rsqrt(x);

    /// <summary>The remainder of truncating division, exactly: long division on the significands.</summary>
    private static float Remainder(float x, float y)
    {
        var ux = BitConverter.SingleToUInt32Bits(x);
        var uy = BitConverter.SingleToUInt32Bits(y) & 0x7fff_ffffu;
        var sign = ux & 0x8000_0000u;
        ux &= 0x7fff_ffffu;
        if (uy == 0 || ux >= 0x7f80_0000u || uy > 0x7f80_0000u)
            return float.NaN;
        if (ux < uy)
            return x;
        var ex = (int)(ux >> 23);
        var ey = (int)(uy >> 23);
        var mx = ex == 0 ? ux : (ux & 0x7f_ffffu) | 0x80_0000u;
        var my = ey == 0 ? uy : (uy & 0x7f_ffffu) | 0x80_0000u;
        var shiftX = BitOperations.LeadingZeroCount(mx) - 8;
        var shiftY = BitOperations.LeadingZeroCount(my) - 8;
        ex = Math.Max(ex, 1) - shiftX;
        ey = Math.Max(ey, 1) - shiftY;
        mx <<= shiftX;
        my <<= shiftY;
        for (; ex > ey; ex--)
        {
            if (mx >= my)
                mx -= my;
            mx <<= 1;
        }

        if (mx >= my)
            mx -= my;
        if (mx == 0)
            return BitConverter.UInt32BitsToSingle(sign);
        var shift = BitOperations.LeadingZeroCount(mx) - 8;
        ex -= shift;
        mx <<= shift;
        var bits = ex < 1 ? mx >> (1 - ex) : (mx & 0x7f_ffffu) | ((uint)ex << 23);
        return BitConverter.UInt32BitsToSingle(bits | sign);
    }
}
