namespace DeltaKV.Tokenization.Templates.Python;

/// <summary>The methods of a list or tuple that leave it as it is; Hugging Face's sandbox forbids the others too.</summary>
internal static class ListMethods
{
    internal static TemplateFunction? Find(IReadOnlyList<object?> list, string name) => name switch
    {
        "count" => new TemplateFunction(name, arguments => (long)list.Count(item => PythonValue.AreEqual(item, arguments.Bind("value")[0]))),
        "index" => new TemplateFunction(name, arguments => Index(list, arguments.Bind("value")[0])),
        "append" or "clear" or "copy" or "extend" or "insert" or "pop" or "remove" or "reverse" or "sort" =>
            new TemplateFunction(name, _ => throw new TemplateFault($"the list method '{name}' is not supported.")),
        _ => null,
    };

    private static long Index(IReadOnlyList<object?> list, object? value)
    {
        for (var i = 0; i < list.Count; i++)
        {
            if (PythonValue.AreEqual(list[i], value))
                return i;
        }

        throw new TemplateFault($"{PythonText.ToText(value)} is not in the list.");
    }
}
