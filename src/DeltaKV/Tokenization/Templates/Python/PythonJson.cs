using System.Globalization;
using System.Numerics;
using System.Text;

namespace DeltaKV.Tokenization.Templates.Python;

/// <summary>
/// The filter <c>tojson</c> as Hugging Face defines it: <c>json.dumps</c> with <c>ensure_ascii=False</c>, not Jinja's own, which escapes
/// HTML.
/// </summary>
internal sealed class PythonJson
{
    private readonly StringBuilder output = new();
    private readonly string itemSeparator;
    private readonly string keySeparator;
    private readonly string? indent;
    private readonly bool asciiOnly;
    private readonly bool sortsKeys;

    private PythonJson(object?[] bound)
    {
        indent = bound[1].Or(null) switch
        {
            null => null,
            string text => text,
            var width => new string(' ', (int)Math.Clamp(width.Integer("indent"), 0, 64)),
        };
        asciiOnly = bound[0].Flag(false);
        sortsKeys = bound[3].Flag(false);
        (itemSeparator, keySeparator) = (indent is null ? ", " : ",", ": ");
        if (bound[2].Or(null) is { } separators)
        {
            (itemSeparator, keySeparator) = PythonValue.Iterate(separators) is [string item, string key]
                ? (item, key)
                : throw new TemplateFault("the argument 'separators' must be two strings.");
        }
    }

    internal static string Serialize(object? value, CallArguments arguments)
    {
        var writer = new PythonJson(arguments.Bind("ensure_ascii", "indent", "separators", "sort_keys"));
        writer.Write(value, 0);
        return writer.output.ToString();
    }

    private void Write(object? value, int depth)
    {
        RecursionGuard.Check();
        switch (value)
        {
            case null: output.Append("null"); break;
            case bool flag: output.Append(flag ? "true" : "false"); break;
            case long number: output.Append(number); break;
            case BigInteger number: output.Append(number.ToString(CultureInfo.InvariantCulture)); break;
            case double number: output.Append(FloatText(number)); break;
            case string text: WriteString(text); break;
            case List<object?> list: WriteItems('[', ']', list, depth, item => Write(item, depth + 1)); break;
            case object?[] tuple: WriteItems('[', ']', tuple, depth, item => Write(item, depth + 1)); break;
            case TemplateMap map: WriteItems('{', '}', Ordered(map), depth, pair => WritePair(pair, depth)); break;
            default: throw new TemplateFault($"{PythonValue.TypeName(value)} has no JSON form.");
        }
    }

    private IEnumerable<KeyValuePair<string, object?>> Ordered(TemplateMap map) =>
        sortsKeys ? map.OrderBy(pair => pair.Key, StringComparer.Ordinal) : map;

    private void WritePair(KeyValuePair<string, object?> pair, int depth)
    {
        WriteString(pair.Key);
        output.Append(keySeparator);
        Write(pair.Value, depth + 1);
    }

    private void WriteItems<T>(char open, char close, IEnumerable<T> items, int depth, Action<T> write)
    {
        output.Append(open);
        var isFirst = true;
        foreach (var item in items)
        {
            if (!isFirst)
                output.Append(itemSeparator);
            isFirst = false;
            BreakLine(depth + 1);
            write(item);
        }

        if (!isFirst)
            BreakLine(depth);
        output.Append(close);
    }

    private void BreakLine(int depth)
    {
        if (indent is null)
            return;
        output.Append('\n');
        for (; depth > 0; depth--)
            output.Append(indent);
    }

    private void WriteString(string text)
    {
        output.Append('"');
        foreach (var character in text)
        {
            switch (character)
            {
                case '"': output.Append("\\\""); break;
                case '\\': output.Append("\\\\"); break;
                case '\n': output.Append("\\n"); break;
                case '\r': output.Append("\\r"); break;
                case '\t': output.Append("\\t"); break;
                case '\f': output.Append("\\f"); break;
                case '\b': output.Append("\\b"); break;
                case < ' ':
                case > '~' when asciiOnly:
                    output.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
                    break;
                default: output.Append(character); break;
            }
        }

        output.Append('"');
    }

    private static string FloatText(double number) =>
        double.IsFinite(number) ? PythonFloat.Repr(number) : double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
}
