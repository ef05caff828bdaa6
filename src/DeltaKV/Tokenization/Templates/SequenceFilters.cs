using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates;

/// <summary>The filters over lists.</summary>
internal static class SequenceFilters
{
    internal static string Join(object? value, CallArguments arguments)
    {
        var bound = arguments.Bind("d", "attribute");
        var items = PythonValue.Iterate(value);
        if (bound[1].Or(null) is { } attribute)
            items = [.. items.Select(item => Attribute(item, attribute))];
        return string.Join(PythonText.ToText(bound[0].Or("")), items.Select(PythonText.ToText));
    }

    /// <summary><c>map('filter', arguments)</c> or <c>map(attribute='name', default=value)</c>.</summary>
    internal static List<object?> Map(object? value, CallArguments arguments)
    {
        if (arguments.Positional.Count > 0)
        {
            var name = arguments.Positional[0].Text("filter");
            var filter = TemplateFilters.All.GetValueOrDefault(name) ?? throw new TemplateFault($"the filter '{name}' is not supported.");
            return [.. PythonValue.Iterate(value).Select(item => filter(item, arguments.Skip(1, name)))];
        }

        var bound = arguments.Bind("attribute", "default");
        if (!bound[0].IsGiven())
            throw new TemplateFault("'map' needs a filter or an attribute.");
        return [.. PythonValue.Iterate(value).Select(item => Attribute(item, bound[0], bound[1].Or(null)))];
    }

    internal static List<object?> Select(object? value, CallArguments arguments, bool keeps) =>
        [.. PythonValue.Iterate(value).Where(item => Holds(item, arguments) == keeps)];

    internal static List<object?> SelectByAttribute(object? value, CallArguments arguments, bool keeps)
    {
        if (arguments.Positional.Count == 0)
            throw new TemplateFault($"'{arguments.Function}' needs the name of an attribute.");
        return [.. PythonValue.Iterate(value).Where(item => Holds(Attribute(item, arguments.Positional[0]), arguments.Skip(1, arguments.Function)) == keeps)];
    }

    internal static object Reverse(object? value, CallArguments arguments)
    {
        arguments.Bind();
        var reversed = PythonValue.Iterate(value).Reverse().ToList();
        return value is string ? string.Concat(reversed) : reversed;
    }

    internal static List<object?> Sort(object? value, CallArguments arguments)
    {
        var bound = arguments.Bind("reverse", "case_sensitive", "attribute");
        object? Key(object? item) => Folded(bound[2].Or(null) is { } attribute ? Attribute(item, attribute) : item, bound[1].Flag(false));
        return Ordered(PythonValue.Iterate(value), Key, bound[0].Flag(false));
    }

    internal static List<object?> SortByKey(object? value, CallArguments arguments)
    {
        var bound = arguments.Bind("case_sensitive", "by", "reverse");
        if (value is not TemplateMap map || bound[1].Or("key") is not "key")
            throw new TemplateFault("'dictsort' sorts dictionaries by key; nothing else is supported.");
        object? Key(object? item) => Folded(((object?[])item!)[0], bound[0].Flag(false));
        return Ordered(MapMethods.Items(map), Key, bound[2].Flag(false));
    }

    internal static List<object?> Unique(object? value, CallArguments arguments)
    {
        var bound = arguments.Bind("case_sensitive", "attribute");
        var unique = new List<object?>();
        var keys = new List<object?>();
        foreach (var item in PythonValue.Iterate(value))
        {
            var key = Folded(bound[1].Or(null) is { } attribute ? Attribute(item, attribute) : item, bound[0].Flag(false));
            if (keys.Exists(other => PythonValue.AreEqual(other, key)))
                continue;
            keys.Add(key);
            unique.Add(item);
        }

        return unique;
    }

    internal static object? Sum(object? value, CallArguments arguments)
    {
        var bound = arguments.Bind("attribute", "start");
        return PythonValue.Iterate(value)
            .Select(item => bound[0].Or(null) is { } attribute ? Attribute(item, attribute) : item)
            .Aggregate(bound[1].Or(0L), (total, item) => PythonArithmetic.Apply("+", total, item));
    }

    internal static object? Extreme(object? value, CallArguments arguments, int sign)
    {
        var bound = arguments.Bind("case_sensitive", "attribute");
        var items = PythonValue.Iterate(value);
        if (items.Count == 0)
            return new Undefined($"'{arguments.Function}' of no items");
        object? Key(object? item) => Folded(bound[1].Or(null) is { } attribute ? Attribute(item, attribute) : item, bound[0].Flag(false));
        return items.Aggregate((best, item) => PythonValue.Order(Key(item), Key(best)) * sign > 0 ? item : best);
    }

    private static List<object?> Ordered(IReadOnlyList<object?> items, Func<object?, object?> key, bool isDescending)
    {
        var order = Comparer<object?>.Create(PythonValue.Order);
        try
        {
            return [.. isDescending ? items.OrderByDescending(key, order) : items.OrderBy(key, order)];
        }
        catch (InvalidOperationException exception) when (exception.InnerException is TemplateFault fault)
        {
            throw new TemplateFault(fault.Message);
        }
    }

    private static bool Holds(object? value, CallArguments arguments)
    {
        if (arguments.Positional.Count == 0)
            return PythonValue.IsTrue(value);
        var name = arguments.Positional[0].Text("test");
        var test = TemplateTests.All.GetValueOrDefault(name) ?? throw new TemplateFault($"the test '{name}' is not supported.");
        return test(value, arguments.Skip(1, name));
    }

    /// <summary>
    /// An attribute by a dotted path; parts of digits are positions. The fallback takes the place of whatever is missing on the way.
    /// </summary>
    private static object? Attribute(object? item, object? attribute, object? fallback = null)
    {
        if (attribute is long)
            return Step(item, attribute);
        return attribute.Text("attribute").Split('.').Aggregate(item, (current, part) => Step(current, long.TryParse(part, out var position) ? position : part));

        object? Step(object? current, object? key) => PythonAccess.Item(current, key) is var found && found is Undefined && fallback is not null ? fallback : found;
    }

    private static object? Folded(object? key, bool isCaseSensitive) => key is string text && !isCaseSensitive ? text.ToLowerInvariant() : key;
}
