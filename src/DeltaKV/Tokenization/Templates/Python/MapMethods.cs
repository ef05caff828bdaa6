namespace DeltaKV.Tokenization.Templates.Python;

/// <summary>The methods of a dictionary. They hide entries of the same name when written with a dot, as in Python.</summary>
internal static class MapMethods
{
    internal static List<object?> Items(TemplateMap map) => [.. map.Select(pair => (object?[])[pair.Key, pair.Value])];

    internal static TemplateFunction? Find(TemplateMap map, string name) => name switch
    {
        "items" => Plain(name, () => Items(map)),
        "keys" => Plain(name, () => PythonValue.Iterate(map).ToList()),
        "values" => Plain(name, () => map.Values.ToList()),
        "get" => new TemplateFunction(name, arguments => Get(map, arguments)),
        "copy" or "clear" or "fromkeys" or "pop" or "popitem" or "setdefault" or "update" =>
            new TemplateFunction(name, _ => throw new TemplateFault($"the dictionary method '{name}' is not supported.")),
        _ => null,
    };

    private static TemplateFunction Plain(string name, Func<object?> method) => new(name, arguments =>
    {
        arguments.Bind();
        return method();
    });

    private static object? Get(TemplateMap map, CallArguments arguments)
    {
        var bound = arguments.Bind("key", "default");
        return bound[0] is string key && map.TryGetValue(key, out var value) ? value : bound[1].Or(null);
    }
}
