namespace DeltaKV.Tokenization.Templates.Python;

/// <summary>
/// Attributes, items and slices. What is missing is <see cref="Undefined"/>; reaching into something undefined is an error.
/// </summary>
internal static class PythonAccess
{
    internal static object? Attribute(object? target, string name) => target switch
    {
        Undefined undefined => throw undefined.Fault(),
        TemplateMap map when MapMethods.Find(map, name) is { } method => method,
        TemplateMap map => map.TryGetValue(name, out var value) ? value : Missing(target, name),
        string text when StringMethods.Find(text, name) is { } method => method,
        List<object?> or object?[] when ListMethods.Find(PythonValue.Iterate(target), name) is { } method => method,
        TemplateNamespace space => space.Attributes.TryGetValue(name, out var value) ? value : Missing(target, name),
        LoopState loop => loop.Attribute(name),
        _ => Missing(target, name),
    };

    internal static object? Item(object? target, object? key) => (target, key) switch
    {
        (Undefined undefined, _) => throw undefined.Fault(),
        (TemplateMap map, string name) when map.TryGetValue(name, out var value) => value,
        (List<object?> or object?[], bool flag) => At(PythonValue.Iterate(target), flag ? 1 : 0),
        (List<object?> or object?[] or string, long index) => At(PythonValue.Iterate(target), index),
        (_, string name) => Attribute(target, name),
        _ => new Undefined($"{PythonValue.TypeName(target)} has no item {PythonText.ToText(key)}"),
    };

    internal static object Slice(object? target, long? start, long? stop, long? step) => target switch
    {
        Undefined undefined => throw undefined.Fault(),
        List<object?> list => Pick(list, start, stop, step),
        object?[] tuple => Pick(tuple, start, stop, step).ToArray(),
        string text => string.Concat(Pick(PythonText.Characters(text), start, stop, step)),
        _ => throw new TemplateFault($"{PythonValue.TypeName(target)} cannot be sliced."),
    };

    private static object? At(IReadOnlyList<object?> items, long index)
    {
        var position = index < 0 ? index + items.Count : index;
        return position >= 0 && position < items.Count ? items[(int)position] : new Undefined($"there is no item {index} among {items.Count}");
    }

    private static List<object?> Pick(IReadOnlyList<object?> items, long? start, long? stop, long? step)
    {
        var stride = step ?? 1;
        if (stride == 0)
            throw new TemplateFault("a slice has the step 0.");
        var (lowest, highest) = stride > 0 ? (0L, (long)items.Count) : (-1L, items.Count - 1L);
        var from = Clamp(start, stride > 0 ? lowest : highest);
        var to = Clamp(stop, stride > 0 ? highest : lowest);

        var picked = new List<object?>();
        for (var i = from; stride > 0 ? i < to : i > to; i += stride)
            picked.Add(items[(int)i]);
        return picked;

        long Clamp(long? bound, long fallback) => bound is { } given ? Math.Clamp(given < 0 ? given + items.Count : given, lowest, highest) : fallback;
    }

    private static Undefined Missing(object? target, string name) => new($"{PythonValue.TypeName(target)} has no attribute '{name}' here");
}
