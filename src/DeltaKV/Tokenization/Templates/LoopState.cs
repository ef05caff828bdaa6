namespace DeltaKV.Tokenization.Templates;

/// <summary>The variable <c>loop</c>.</summary>
internal sealed class LoopState(IReadOnlyList<object?> items)
{
    internal int Index { get; set; }

    internal object? Attribute(string name) => name switch
    {
        "index" => Index + 1L,
        "index0" => (long)Index,
        "revindex" => (long)(items.Count - Index),
        "revindex0" => items.Count - Index - 1L,
        "first" => Index == 0,
        "last" => Index == items.Count - 1,
        "length" => (long)items.Count,
        "depth" => 1L, // Counts recursion of one loop, which is not supported, rather than nesting.
        "depth0" => 0L,
        "previtem" => Index > 0 ? items[Index - 1] : new Undefined("there is no previous item"),
        "nextitem" => Index + 1 < items.Count ? items[Index + 1] : new Undefined("there is no next item"),
        "cycle" => new TemplateFunction("loop.cycle", Cycle),
        _ => throw new TemplateFault($"'loop.{name}' is not supported."),
    };

    private object? Cycle(CallArguments arguments) => arguments.Positional.Count > 0
        ? arguments.Positional[Index % arguments.Positional.Count]
        : throw new TemplateFault($"'{arguments.Function}' needs something to cycle through.");
}
