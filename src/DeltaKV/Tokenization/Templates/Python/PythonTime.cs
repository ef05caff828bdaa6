using System.Globalization;
using System.Text;

namespace DeltaKV.Tokenization.Templates.Python;

/// <summary><c>strftime</c> in the C locale.</summary>
internal static class PythonTime
{
    internal static string Format(DateTimeOffset time, string format)
    {
        var result = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                result.Append(format[i]);
                continue;
            }

            // glibc's minus drops the padding of a number.
            var unpadded = i + 1 < format.Length && format[i + 1] == '-';
            i += unpadded ? 2 : 1;
            var field = i < format.Length ? Field(time, format[i]) : throw new TemplateFault("a time format ends in '%'.");
            result.Append(unpadded && field.Length > 1 && char.IsAsciiDigit(field[0]) ? field.TrimStart('0').PadLeft(1, '0') : field);
        }

        return result.ToString();
    }

    private static string Field(DateTimeOffset time, char field) => field switch
    {
        'a' => Text(time, "ddd"),
        'A' => Text(time, "dddd"),
        'b' or 'h' => Text(time, "MMM"),
        'B' => Text(time, "MMMM"),
        'd' => Text(time, "dd"),
        'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'D' or 'x' => Text(time, "MM'/'dd'/'yy"),
        'F' => Text(time, "yyyy'-'MM'-'dd"),
        'H' => Text(time, "HH"),
        'I' => Text(time, "hh"),
        'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'm' => Text(time, "MM"),
        'M' => Text(time, "mm"),
        'p' => time.Hour < 12 ? "AM" : "PM",
        'S' => Text(time, "ss"),
        'T' or 'X' => Text(time, "HH':'mm':'ss"),
        'y' => Text(time, "yy"),
        'Y' => Text(time, "yyyy"),
        '%' => "%",
        _ => throw new TemplateFault($"the time format '%{field}' is not supported."),
    };

    private static string Text(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);
}
