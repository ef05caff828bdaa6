using System.Collections;
using System.Numerics;

namespace DeltaKV.Tokenization.Templates.Python;

/// <summary>Truth, equality, order and iteration as Python has them.</summary>
internal static class PythonValue
{
    internal static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long number => number != 0,
        double number => number != 0,
        BigInteger number => !number.IsZero,
        string text => text.Length > 0,
        ICollection items => items.Count > 0,
        _ => true,
    };

    internal static string TypeName(object? value) => value switch
    {
        null => "none",
        bool => "a boolean",
        long or BigInteger => "an integer",
        double => "a float",
        string => "a string",
        List<object?> => "a list",
        object?[] => "a tuple",
        TemplateMap => "a dictionary",
        Undefined => "undefined",
        TemplateFunction => "a function",
        TemplateNamespace => "a namespace",
        _ => "an object",
    };

    internal static bool AreEqual(object? left, object? right) => (left, right) switch
    {
        (null, null) or (Undefined, Undefined) => true,
        (string a, string b) => a == b,
        (BigInteger a, BigInteger b) => a == b,
        (List<object?> a, List<object?> b) => AreItemsEqual(a, b),
        (object?[] a, object?[] b) => AreItemsEqual(a, b),
        (TemplateMap a, TemplateMap b) => a.Count == b.Count && a.All(pair => b.TryGetValue(pair.Key, out var other) && AreEqual(pair.Value, other)),
        _ when PythonArithmetic.TryNumbers(left, right, out var a, out var b) => Order(a, b) == 0,
        _ => ReferenceEquals(left, right),
    };

    internal static bool Compare(string operation, object? left, object? right) => operation switch
    {
        "==" => AreEqual(left, right),
        "!=" => !AreEqual(left, right),
        "in" => Contains(right, left),
        "not in" => !Contains(right, left),
        "<" => Order(left, right) < 0,
        "<=" => Order(left, right) <= 0,
        ">" => Order(left, right) > 0,
        ">=" => Order(left, right) >= 0,
        _ => throw new TemplateFault($"the comparison '{operation}' is not supported."),
    };

    /// <summary>Negative, zero or positive; an error for values Python does not order.</summary>
    internal static int Order(object? left, object? right)
    {
        if (left is string leftText && right is string rightText)
            return string.CompareOrdinal(leftText, rightText);
        if (!PythonArithmetic.TryNumbers(left, right, out var a, out var b))
            throw new TemplateFault($"{TypeName(left)} and {TypeName(right)} cannot be ordered.");
        return a is long wholeA && b is long wholeB
            ? wholeA.CompareTo(wholeB)
            : Convert.ToDouble(a, null).CompareTo(Convert.ToDouble(b, null));
    }

    internal static bool Contains(object? container, object? item) => container switch
    {
        string text => item is string part
            ? text.Contains(part, StringComparison.Ordinal)
            : throw new TemplateFault($"'in' a string needs a string, found {TypeName(item)}."),
        TemplateMap map => item is string key && map.ContainsKey(key),
        _ => Iterate(container).Any(element => AreEqual(element, item)),
    };

    /// <summary>The items of a list or tuple, the keys of a dictionary, the characters of a string.</summary>
    internal static IReadOnlyList<object?> Iterate(object? value) => value switch
    {
        List<object?> list => list,
        object?[] tuple => tuple,
        TemplateMap map => [.. map.Keys],
        string text => PythonText.Characters(text),
        Undefined => [],
        _ => throw new TemplateFault($"{TypeName(value)} cannot be iterated over."),
    };

    internal static long Length(object? value) => value switch
    {
        string text => PythonText.Length(text),
        ICollection items => items.Count,
        Undefined => 0,
        _ => throw new TemplateFault($"{TypeName(value)} has no length."),
    };

    private static bool AreItemsEqual(IReadOnlyList<object?> left, IReadOnlyList<object?> right)
    {
        RecursionGuard.Check();
        return left.Count == right.Count && left.Zip(right).All(pair => AreEqual(pair.First, pair.Second));
    }
}
