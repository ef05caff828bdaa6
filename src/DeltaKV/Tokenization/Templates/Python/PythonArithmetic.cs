namespace DeltaKV.Tokenization.Templates.Python;

/// <summary>Python's operators on numbers, and plus and times on strings and lists.</summary>
internal static class PythonArithmetic
{
    private const int LongestRepeat = 1 << 20;

    internal static object? Apply(string operation, object? left, object? right)
    {
        if ((left as Undefined ?? right as Undefined) is { } undefined)
            throw undefined.Fault();
        if (TryNumbers(left, right, out var a, out var b))
            return ApplyToNumbers(operation, a, b);
        return (operation, left, right) switch
        {
            ("+", string first, string second) => first + second,
            ("+", List<object?> first, List<object?> second) => (List<object?>)[.. first, .. second],
            ("+", object?[] first, object?[] second) => (object?[])[.. first, .. second],
            ("*", string text, long count) => Repeat(text, count),
            ("*", long count, string text) => Repeat(text, count),
            _ => throw new TemplateFault($"'{operation}' between {PythonValue.TypeName(left)} and {PythonValue.TypeName(right)} is not supported."),
        };
    }

    /// <summary>Both values as long or double; booleans count as 0 and 1.</summary>
    internal static bool TryNumbers(object? left, object? right, out object a, out object b)
    {
        a = left is bool leftFlag ? (leftFlag ? 1L : 0L) : left ?? "";
        b = right is bool rightFlag ? (rightFlag ? 1L : 0L) : right ?? "";
        return a is long or double && b is long or double;
    }

    private static object ApplyToNumbers(string operation, object left, object right)
    {
        try
        {
            return left is long a && right is long b && operation != "/"
                ? ApplyToIntegers(operation, a, b)
                : ApplyToFloats(operation, Convert.ToDouble(left, null), Convert.ToDouble(right, null));
        }
        catch (OverflowException)
        {
            throw new TemplateFault($"'{operation}' overflows a 64-bit integer.");
        }
    }

    private static object ApplyToIntegers(string operation, long a, long b)
    {
        if (b == 0 && operation is "//" or "%")
            throw new TemplateFault("division by zero.");
        return checked(operation switch
        {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "//" => FloorDivide(a, b),
            "%" => a - (FloorDivide(a, b) * b),
            "**" => Power(a, b),
            _ => throw new TemplateFault($"the operator '{operation}' is not supported."),
        });
    }

    private static double ApplyToFloats(string operation, double a, double b)
    {
        if (b == 0 && operation is "/" or "//" or "%")
            throw new TemplateFault("division by zero.");
        return operation switch
        {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "/" => a / b,
            "//" => Math.Floor(a / b),
            "%" => a - (Math.Floor(a / b) * b),
            "**" => Math.Pow(a, b),
            _ => throw new TemplateFault($"the operator '{operation}' is not supported."),
        };
    }

    private static long FloorDivide(long a, long b) => checked((a / b) - (a % b != 0 && a < 0 != b < 0 ? 1 : 0));

    private static object Power(long a, long b)
    {
        if (b < 0)
            return Math.Pow(a, b);
        var power = 1L;
        for (; b > 0; b--)
            power = checked(power * a);
        return power;
    }

    private static string Repeat(string text, long count)
    {
        if (count * text.Length > LongestRepeat)
            throw new TemplateFault($"repeating a string {count} times makes it longer than {LongestRepeat} characters.");
        return count <= 0 ? "" : string.Concat(Enumerable.Repeat(text, (int)count));
    }
}
