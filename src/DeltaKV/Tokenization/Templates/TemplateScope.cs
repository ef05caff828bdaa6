namespace DeltaKV.Tokenization.Templates;

/// <summary>Names and their values. Loops and macros open an inner scope; what is set inside stays inside, as in Jinja.</summary>
internal sealed class TemplateScope(TemplateScope? outer = null)
{
    private readonly Dictionary<string, object?> values = [];

    internal object? Get(string name)
    {
        for (var scope = this; scope is not null; scope = scope.outer)
        {
            if (scope.values.TryGetValue(name, out var value))
                return value;
        }

        return new Undefined($"'{name}' is undefined");
    }

    internal void Set(string name, object? value) => values[name] = value;

    private readonly TemplateScope? outer = outer;
}
