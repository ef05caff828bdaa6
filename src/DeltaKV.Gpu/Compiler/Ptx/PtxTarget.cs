using System.Globalization;

namespace DeltaKV.Gpu.Compiler.Ptx;

/// <summary>Which PTX version a target and the instructions used need.</summary>
internal static class PtxTarget
{
    /// <summary>The number in <c>sm_90a</c>.</summary>
    public static int Number(string target)
    {
        var digits = target.AsSpan();
        digits = digits.StartsWith("sm_") ? digits[3..].TrimEnd("af") : digits;
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 80
            ? number
            : throw new ArgumentException($"'{target}' is not a target; DeltaKV.Gpu compiles for sm_80 and later.", nameof(target));
    }

    public static bool IsAtLeast(string target, int number) => Number(target) >= number;

    /// <summary>The oldest version that has the target, and fp8 when the kernel uses it.</summary>
    public static string Version(string target, bool usesFp8)
    {
        var version = Number(target) switch
        {
            >= 103 => 88,
            >= 100 => 87,
            90 when target.EndsWith('a') => 80,
            _ => 78,
        };
        version = Math.Max(version, usesFp8 ? 84 : 0);
        return $"{version / 10}.{version % 10}";
    }
}
