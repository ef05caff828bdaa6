using System.Numerics;
using System.Reflection;

namespace DeltaKV.Gpu.Compiler.Library;

/// <summary>The members of <c>Math</c> that PTX has no instruction for, in C# that kernels inline.</summary>
/// <remarks>
/// Exp, Log, Sin, Cos, Atan: below 2 units in the last place (Sin, Cos and Tan are NaN for arguments beyond 2^30); Pow: relative error below 2^-46, its
/// special cases as .NET; the others follow from these.
/// </remarks>
internal static class DoubleMath
{
    private const double Ln2High = 6.93147180369123816490e-01;
    private const double Ln2Low = 1.90821492927058770002e-10;
    private const double LargestAngle = 1073741824.0;
    private const double InverseLn2 = 1.44269504088896338700e+00;

    public static MethodInfo RemainderMethod { get; } = Find(nameof(Remainder), 2)!;

    public static MethodInfo? Find(string name, int arguments) => typeof(DoubleMath).GetMethod(
        name, BindingFlags.Static | BindingFlags.NonPublic, [.. Enumerable.Repeat(typeof(double), arguments)]);

    internal static double Exp(double x)
    {
        if (x > 709.782712893384)
            return double.PositiveInfinity;
        if (x < -745.2)
            return 0;
        var n = Math.Round(x * InverseLn2);
        var r = Math.FusedMultiplyAdd(-n, Ln2Low, Math.FusedMultiplyAdd(-n, Ln2High, x));
        return Scale(ExpReduced(r), (int)n);
    }

    internal static double Log(double x)
    {
        if (!(x > 0))
            return x == 0 ? double.NegativeInfinity : double.NaN;
        if (x == double.PositiveInfinity)
            return x;
        var (k, f) = Split(x);
        return Math.FusedMultiplyAdd(k, Ln2High, LogReduced(f) + (k * Ln2Low));
    }

    internal static double Log2(double x)
    {
        if (!(x > 0))
            return x == 0 ? double.NegativeInfinity : double.NaN;
        if (x == double.PositiveInfinity)
            return x;
        var (k, f) = Split(x);
        return Math.FusedMultiplyAdd(LogReduced(f), InverseLn2, k);
    }

    internal static double Log10(double x) => Log(x) * 0.43429448190325182;

    internal static double Log(double x, double newBase) => Log(x) / Log(newBase);

    internal static double Pow(double x, double y)
    {
        if (y == 0 || x == 1)
            return 1;
        if (double.IsNaN(x) || double.IsNaN(y))
            return double.NaN;
        var magnitude = Math.Abs(x);
        var isInteger = Math.Truncate(y) == y;
        var isOdd = isInteger && Math.Abs(y) < 9007199254740992.0 && ((long)y & 1) != 0;
        if (double.IsInfinity(y))
            return magnitude == 1 ? 1 : (magnitude > 1) == (y > 0) ? double.PositiveInfinity : 0;
        double result;
        if (magnitude == 0 || double.IsInfinity(magnitude))
        {
            result = (magnitude == 0) == (y > 0) ? 0 : double.PositiveInfinity;
        }
        else
        {
            if (x < 0 && !isInteger)
                return double.NaN;
            result = PowPositive(magnitude, y);
        }

        return isOdd && double.IsNegative(x) ? -result : result;
    }

    internal static double Sin(double x)
    {
        var (quadrant, r) = ReduceQuarter(x);
        var value = (quadrant & 1) == 0 ? SinReduced(r) : CosReduced(r);
        return (quadrant & 2) == 0 ? value : -value;
    }

    internal static double Cos(double x)
    {
        var (quadrant, r) = ReduceQuarter(x);
        var value = (quadrant & 1) == 0 ? CosReduced(r) : SinReduced(r);
        return ((quadrant + 1) & 2) == 0 ? value : -value;
    }

    internal static double Tan(double x)
    {
        var (quadrant, r) = ReduceQuarter(x);
        var (sine, cosine) = (SinReduced(r), CosReduced(r));
        return (quadrant & 1) == 0 ? sine / cosine : -cosine / sine;
    }

    internal static double Sinh(double x)
    {
        var magnitude = Math.Abs(x);
        if (magnitude < 0.3)
        {
            var s = x * x;
            return x + (x * s * ((1.0 / 6) + (s * ((1.0 / 120) + (s * ((1.0 / 5040) + (s * ((1.0 / 362880) + (s * ((1.0 / 39916800) + (s * (1.0 / 6227020800))))))))))));
        }

        var half = Exp(magnitude * 0.5);
        var result = (0.5 * half * half) - (0.5 / half / half);
        return x < 0 ? -result : result;
    }

    internal static double Cosh(double x)
    {
        var half = Exp(Math.Abs(x) * 0.5);
        return (0.5 * half * half) + (0.5 / half / half);
    }

    internal static double Tanh(double x)
    {
        var magnitude = Math.Abs(x);
        if (magnitude > 22)
            return x < 0 ? -1 : 1;
        if (magnitude < 0.3)
            return Sinh(x) / Cosh(x);
        var e = Exp(2 * magnitude);
        var result = 1 - (2 / (e + 1));
        return x < 0 ? -result : result;
    }

    internal static double Atan(double x)
    {
        var magnitude = Math.Abs(x);
        if (magnitude > 2.4375)
            return Math.CopySign(1.5707963267948966 + (6.123233995736766e-17 + AtanReduced(-1 / magnitude)), x);
        if (magnitude > 1.1875)
            return Math.CopySign(0.982793723247329 + (1.3903311031230998e-17 + AtanReduced((magnitude - 1.5) / (1 + (1.5 * magnitude)))), x);
        if (magnitude > 0.6875)
            return Math.CopySign(0.7853981633974483 + (3.061616997868383e-17 + AtanReduced((magnitude - 1) / (magnitude + 1))), x);
        return magnitude > 0.4375
            ? Math.CopySign(0.4636476090008061 + (2.2698777452961687e-17 + AtanReduced(((2 * magnitude) - 1) / (2 + magnitude))), x)
            : AtanReduced(x);
    }

    internal static double Atan2(double y, double x)
    {
        if (double.IsNaN(x) || double.IsNaN(y))
            return double.NaN;
        double angle;
        if (double.IsInfinity(x) && double.IsInfinity(y))
            angle = 0.7853981633974483;
        else if (y == 0)
            angle = 0;
        else
            angle = x == 0 ? 1.5707963267948966 : Atan(Math.Abs(y / x));
        if (double.IsNegative(x))
            angle = 3.141592653589793 - (angle - 1.2246467991473532e-16);
        return Math.CopySign(angle, y);
    }

    internal static double Asin(double x) => Atan2(x, Math.Sqrt((1 - x) * (1 + x)));

    internal static double Acos(double x) => Atan2(Math.Sqrt((1 - x) * (1 + x)), x);

    internal static double Cbrt(double x)
    {
        if (x == 0 || !double.IsFinite(x))
            return x;
        var root = Exp(Log(Math.Abs(x)) * (1.0 / 3));
        root -= (root - (Math.Abs(x) / (root * root))) * (1.0 / 3);
        return x < 0 ? -root : root;
    }

    internal static double ReciprocalEstimate(double x) => 1 / x;

    internal static double ReciprocalSqrtEstimate(double x) => 1 / Math.Sqrt(x);

    /// <summary>The remainder of truncating division, exactly: long division on the significands.</summary>
    internal static double Remainder(double x, double y)
    {
        const ulong Implicit = 1UL << 52;
        var ux = BitConverter.DoubleToUInt64Bits(x);
        var uy = BitConverter.DoubleToUInt64Bits(y) & (ulong)long.MaxValue;
        var sign = ux & 0x8000_0000_0000_0000UL;
        ux &= (ulong)long.MaxValue;
        if (uy == 0 || ux >= 0x7ff0_0000_0000_0000UL || uy > 0x7ff0_0000_0000_0000UL)
            return double.NaN;
        if (ux < uy)
            return x;
        var ex = (int)(ux >> 52);
        var ey = (int)(uy >> 52);
        var mx = ex == 0 ? ux : (ux & (Implicit - 1)) | Implicit;
        var my = ey == 0 ? uy : (uy & (Implicit - 1)) | Implicit;
        var shiftX = BitOperations.LeadingZeroCount(mx) - 11;
        var shiftY = BitOperations.LeadingZeroCount(my) - 11;
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
            return BitConverter.UInt64BitsToDouble(sign);
        var shift = BitOperations.LeadingZeroCount(mx) - 11;
        ex -= shift;
        mx <<= shift;
        var bits = ex < 1 ? mx >> (1 - ex) : (mx & (Implicit - 1)) | ((ulong)ex << 52);
        return BitConverter.UInt64BitsToDouble(bits | sign);
    }

    /// <summary>e^r for |r| at most ln(2)/2: a rational form, after fdlibm.</summary>
    private static double ExpReduced(double r)
    {
        var t = r * r;
        var c = r - (t * (1.66666666666666019037e-01 + (t * (-2.77777777770155933842e-03 + (t * (6.61375632143793436117e-05
            + (t * (-1.65339022054652515390e-06 + (t * 4.13813679705723846039e-08)))))))));
        return 1 + (r + (r * c / (2 - c)));
    }

    /// <summary>A number as 2^k * (1 + f), 1 + f between sqrt(1/2) and sqrt(2).</summary>
    private static (double K, double F) Split(double x)
    {
        var shift = 0;
        if (x < 2.2250738585072014e-308)
        {
            x *= 18014398509481984.0;
            shift = -54;
        }

        var bits = BitConverter.DoubleToInt64Bits(x);
        var k = (int)(bits >> 52) - 1023;
        var m = BitConverter.Int64BitsToDouble((bits & 0xf_ffff_ffff_ffffL) | 0x3ff0_0000_0000_0000L);
        if (m > 1.4142135623730951)
        {
            m *= 0.5;
            k++;
        }

        return (k + shift, m - 1);
    }

    /// <summary>log(1 + f), after fdlibm.</summary>
    private static double LogReduced(double f)
    {
        var s = f / (2 + f);
        var z = s * s;
        var r = z * (6.666666666666735130e-01 + (z * (3.999999999940941908e-01 + (z * (2.857142874366239149e-01 + (z * (2.222219843214978396e-01
            + (z * (1.818357216161805012e-01 + (z * (1.531383769920937332e-01 + (z * 1.479819860511658591e-01))))))))))));
        var half = 0.5 * f * f;
        return f - (half - (s * (half + r)));
    }

    /// <summary>x^y for positive finite x: the logarithm is kept in two doubles so that a large y does not magnify its error.</summary>
    private static double PowPositive(double x, double y)
    {
        var (k, f) = Split(x);
        var high = LogReduced(f);
        var log = Math.FusedMultiplyAdd(k, Ln2High, high);
        var rest = high - (log - (k * Ln2High)) + (k * Ln2Low);
        var product = y * log;
        var error = Math.FusedMultiplyAdd(y, log, -product) + (y * rest);
        if (product > 710)
            return double.PositiveInfinity;
        if (product < -746)
            return 0;
        var n = Math.Round(product * InverseLn2);
        var r = Math.FusedMultiplyAdd(-n, Ln2Low, Math.FusedMultiplyAdd(-n, Ln2High, product)) + error;
        return Scale(ExpReduced(r), (int)n);
    }

    private static double Scale(double value, int exponent)
    {
        var half = exponent >> 1;
        return value * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    private static double PowerOfTwo(int exponent) => BitConverter.Int64BitsToDouble((long)(exponent + 1023) << 52);

    /// <summary>The argument less the nearest multiple of pi/2, and which multiple. Beyond 2^30 too few bits of pi are at hand, so it is NaN.</summary>
    private static (long Quadrant, double Remainder) ReduceQuarter(double x)
    {
        var n = Math.Round(x * 0.63661977236758134308);
        var r = Math.FusedMultiplyAdd(-n, 1.5707963267948966, x);
        r = Math.FusedMultiplyAdd(-n, 6.123233995736766e-17, r);
        return ((long)n, Math.Abs(x) <= LargestAngle ? r : double.NaN);
    }

    /// <summary>The arctangent for arguments below 0.4375, after fdlibm.</summary>
    private static double AtanReduced(double x)
    {
        var z = x * x;
        var w = z * z;
        var even = z * (3.33333333333329318027e-01 + (w * (1.42857142725034663711e-01 + (w * (9.09088713343650656196e-02
            + (w * (6.66107313738753120669e-02 + (w * (4.97687799461593236017e-02 + (w * 1.62858201153657823623e-02))))))))));
        var odd = w * (-1.99999999998764832476e-01 + (w * (-1.11111104054623557880e-01 + (w * (-7.69187620504482999495e-02
            + (w * (-5.83357013379057348645e-02 + (w * -3.65315727442169155270e-02))))))));
        return x - (x * (even + odd));
    }

    private static double SinReduced(double r)
    {
        var z = r * r;
        return r + (r * z * (-1.66666666666666324348e-01 + (z * (8.33333333332248946124e-03 + (z * (-1.98412698298579493134e-04
            + (z * (2.75573137070700676789e-06 + (z * (-2.50507602534068634195e-08 + (z * 1.58969099521155010221e-10)))))))))));
    }

    private static double CosReduced(double r)
    {
        var z = r * r;
        return 1 - ((0.5 * z) - (z * z * (4.16666666666666019037e-02 + (z * (-1.38888888888741095749e-03 + (z * (2.48015872894767294178e-05
            + (z * (-2.75573143513906633035e-07 + (z * (2.08757232129817482790e-09 + (z * -1.13596475577881948265e-11))))))))))));
    }
}
