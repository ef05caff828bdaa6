using System.Globalization;

namespace DeltaKV.Tokenization.Templates.Python;

/// <summary>Floats as Python prints them: the fewest digits that read back the same, with a point or an exponent.</summary>
internal static class PythonFloat
{
    internal static string Repr(double value)
    {
        if (!double.IsFinite(value))
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";

        // .NET's shortest form has the same digits but puts point and exponent elsewhere.
        var parts = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture).Split('E');
        var whole = parts[0].Split('.')[0];
        var mantissa = parts[0].Replace(".", "", StringComparison.Ordinal);
        var digits = mantissa.TrimStart('0');
        if (digits.Length == 0)
            return double.IsNegative(value) ? "-0.0" : "0.0";
        var exponent = whole.Length - 1 - (mantissa.Length - digits.Length) + (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0);
        digits = digits.TrimEnd('0');
        return (value < 0 ? "-" : "") + (exponent is >= -4 and < 16 ? Fixed(digits, exponent) : Scientific(digits, exponent));
    }

    private static string Fixed(string digits, int exponent)
    {
        if (exponent < 0)
            return $"0.{new string('0', -exponent - 1)}{digits}";
        var whole = digits.Length > exponent + 1 ? digits[..(exponent + 1)] : digits.PadRight(exponent + 1, '0');
        return digits.Length > exponent + 1 ? $"{whole}.{digits[(exponent + 1)..]}" : $"{whole}.0";
    }

    private static string Scientific(string digits, int exponent)
    {
        var fraction = digits.Length > 1 ? $".{digits[1..]}" : "";
        return $"{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }
}
