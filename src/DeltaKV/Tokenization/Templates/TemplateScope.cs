namespace DeltaKV.Tokenization.Templates;

/// <summary>Names and their values. Loops and macros open an inner scope; what is set inside stays inside, as in Jinja.</summary>
internal sealed class TemplateScope
{
    private readonly Dictionary<string, object?> values = [];
    private readonly TemplateScope? outer;

    internal TemplateScope(TemplateScope? outer = null)
    {
        this.outer = outer;
        Root = outer?.Root ?? this;
    }

    /// <summary>The outermost scope, one for each rendering.</summary>
    internal TemplateScope Root { get; }

    /// <summary>How many macros are running inside each other; kept at the root.</summary>
    internal int CallDepth { get; set; }

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
}
