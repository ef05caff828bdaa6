using System.Globalization;
using System.Numerics;
using System.Text;

namespace DeltaKV.Tokenization.Templates.Python;

/// <summary>Strings as Python sees them (sequences of code points), and how Python prints values: <c>str()</c> and <c>repr()</c>.</summary>
internal static class PythonText
{
    internal static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= '\u001C' and <= '\u001F';

    internal static ReadOnlySpan<char> TrimEnd(ReadOnlySpan<char> text)
    {
        while (text.Length > 0 && IsSpace(text[^1]))
            text = text[..^1];
        return text;
    }

    internal static ReadOnlySpan<char> TrimStart(ReadOnlySpan<char> text)
    {
        while (text.Length > 0 && IsSpace(text[0]))
            text = text[1..];
        return text;
    }

    internal static long Length(ReadOnlySpan<char> text)
    {
        var length = text.Length;
        for (var i = 1; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i - 1], text[i]))
                length--;
        }

        return length;
    }

    /// <summary>The code points, each as a string.</summary>
    internal static List<object?> Characters(string text)
    {
        var characters = new List<object?>(text.Length);
        for (var i = 0; i < text.Length; i++)
            characters.Add(char.IsSurrogatePair(text, i) ? text.Substring(i++, 2) : text[i].ToString());
        return characters;
    }

    internal static string ToText(object? value) => value switch
    {
        string text => text,
        Undefined => "",
        _ => Repr(value),
    };

    internal static string Repr(object? value)
    {
        RecursionGuard.Check();
        return ReprUnguarded(value);
    }

    private static string ReprUnguarded(object? value) => value switch
    {
        null => "None",
        bool flag => flag ? "True" : "False",
        long number => number.ToString(CultureInfo.InvariantCulture),
        BigInteger number => number.ToString(CultureInfo.InvariantCulture),
        double number => PythonFloat.Repr(number),
        string text => ReprOfString(text),
        List<object?> list => $"[{string.Join(", ", list.Select(Repr))}]",
        object?[] { Length: 1 } tuple => $"({Repr(tuple[0])},)",
        object?[] tuple => $"({string.Join(", ", tuple.Select(Repr))})",
        TemplateMap map => $"{{{string.Join(", ", map.Select(pair => $"{ReprOfString(pair.Key)}: {Repr(pair.Value)}"))}}}",
        Undefined => "Undefined",
        _ => throw new TemplateFault($"{PythonValue.TypeName(value)} cannot be printed."),
    };

    private static string ReprOfString(string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        var result = new StringBuilder().Append(quote);
        foreach (var rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '\n': result.Append("\\n"); break;
                case '\r': result.Append("\\r"); break;
                case '\t': result.Append("\\t"); break;
                case '\\': result.Append("\\\\"); break;
                case var same when same == quote: result.Append('\\').Append(quote); break;
                case var hidden when !IsPrintable(rune): AppendEscaped(result, hidden); break;
                default: result.Append(rune.ToString()); break;
            }
        }

        return result.Append(quote).ToString();
    }

    private static void AppendEscaped(StringBuilder result, int scalar) => result.Append(scalar switch
    {
        < 0x100 => $"\\x{scalar:x2}",
        < 0x10000 => $"\\u{scalar:x4}",
        _ => $"\\U{scalar:x8}",
    });

    private static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
