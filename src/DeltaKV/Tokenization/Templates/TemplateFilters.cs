using System.Globalization;
using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates;

internal delegate object? TemplateFilter(object? value, CallArguments arguments);

/// <summary>The filters, <c>value | name(arguments)</c>.</summary>
internal static class TemplateFilters
{
    internal static IReadOnlyDictionary<string, TemplateFilter> All { get; } = new Dictionary<string, TemplateFilter>
    {
        ["abs"] = Plain(value => PythonValue.Order(value, 0L) < 0 ? PythonArithmetic.Apply("-", 0L, value) : value),
        ["capitalize"] = Plain(value => StringMethods.Capitalize(PythonText.ToText(value))),
        ["count"] = Plain(value => PythonValue.Length(value)),
        ["d"] = Default,
        ["default"] = Default,
        ["dictsort"] = SequenceFilters.SortByKey,
        ["first"] = Plain(value => PythonValue.Iterate(value) is [var first, ..] ? first : new Undefined("there is no first item")),
        ["float"] = (value, arguments) => ToFloat(value, arguments.Bind("default")[0].Or(0.0)),
        ["indent"] = Indent,
        ["int"] = (value, arguments) => ToInteger(value, arguments.Bind("default")[0].Or(0L)),
        ["items"] = Plain(value => Items(value)),
        ["join"] = SequenceFilters.Join,
        ["last"] = Plain(value => PythonValue.Iterate(value) is [.., var last] ? last : new Undefined("there is no last item")),
        ["length"] = Plain(value => PythonValue.Length(value)),
        ["list"] = Plain(value => PythonValue.Iterate(value).ToList()),
        ["lower"] = Plain(value => PythonText.ToText(value).ToLowerInvariant()),
        ["map"] = SequenceFilters.Map,
        ["max"] = (value, arguments) => SequenceFilters.Extreme(value, arguments, sign: 1),
        ["min"] = (value, arguments) => SequenceFilters.Extreme(value, arguments, sign: -1),
        ["reject"] = (value, arguments) => SequenceFilters.Select(value, arguments, keeps: false),
        ["rejectattr"] = (value, arguments) => SequenceFilters.SelectByAttribute(value, arguments, keeps: false),
        ["replace"] = (value, arguments) => StringMethods.Replace(PythonText.ToText(value), arguments.Bind("old", "new", "count")),
        ["reverse"] = SequenceFilters.Reverse,
        ["safe"] = Plain(value => PythonText.ToText(value)),
        ["select"] = (value, arguments) => SequenceFilters.Select(value, arguments, keeps: true),
        ["selectattr"] = (value, arguments) => SequenceFilters.SelectByAttribute(value, arguments, keeps: true),
        ["sort"] = SequenceFilters.Sort,
        ["string"] = Plain(value => PythonText.ToText(value)),
        ["sum"] = SequenceFilters.Sum,
        ["title"] = Plain(value => StringMethods.Title(PythonText.ToText(value))),
        ["tojson"] = PythonJson.Serialize,
        ["trim"] = (value, arguments) => StringMethods.Strip(PythonText.ToText(value), arguments.Bind("chars")[0], start: true, end: true),
        ["unique"] = SequenceFilters.Unique,
        ["upper"] = Plain(value => PythonText.ToText(value).ToUpperInvariant()),
    };

    private static TemplateFilter Plain(Func<object?, object?> apply) => (value, arguments) =>
    {
        arguments.Bind();
        return apply(value);
    };

    private static object? Default(object? value, CallArguments arguments)
    {
        var bound = arguments.Bind("default_value", "boolean");
        return value is Undefined || (bound[1].Flag(false) && !PythonValue.IsTrue(value)) ? bound[0].Or("") : value;
    }

    private static List<object?> Items(object? value) => value switch
    {
        TemplateMap map => MapMethods.Items(map),
        Undefined => [],
        _ => throw new TemplateFault($"{PythonValue.TypeName(value)} has no items; expected a dictionary."),
    };

    private static string Indent(object? value, CallArguments arguments)
    {
        var bound = arguments.Bind("width", "first", "blank");
        var indent = bound[0] as string ?? new string(' ', (int)Math.Clamp(bound[0].Integer("width", 4), 0, 1000));
        var (indentsFirst, indentsBlank) = (bound[1].Flag(false), bound[2].Flag(false));
        // Jinja adds a line break before splitting, so that a last line break is kept.
        var lines = Splitting.Lines(PythonText.ToText(value) + "\n").Cast<string>()
            .Select((line, index) => index > 0 && (line.Length > 0 || indentsBlank) ? indent + line : line);
        return (indentsFirst ? indent : "") + string.Join('\n', lines);
    }

    private static object? ToInteger(object? value, object? fallback) => value switch
    {
        bool flag => flag ? 1L : 0L,
        long => value,
        double number when Math.Abs(number) < long.MaxValue => (long)number,
        string text when long.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        string text when ToFloat(text, null) is double number && Math.Abs(number) < long.MaxValue => (long)number,
        _ => fallback,
    };

    private static object? ToFloat(object? value, object? fallback) => value switch
    {
        bool flag => flag ? 1.0 : 0.0,
        long number => (double)number,
        double => value,
        string text when double.TryParse(text.Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => fallback,
    };
}
