using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates;

/// <summary>The functions a template finds without setting them: Jinja's that matter and the two Hugging Face adds.</summary>
internal static class TemplateGlobals
{
    /// <summary>Jinja's sandbox has the same limit.</summary>
    private const long LongestRange = 100_000;

    internal static TemplateScope Create(TimeProvider clock)
    {
        var scope = new TemplateScope();
        Add("raise_exception", arguments => throw new TemplateFault(PythonText.ToText(arguments.Bind("message")[0].Or("")), isRaisedByTemplate: true));
        Add("strftime_now", arguments => PythonTime.Format(clock.GetLocalNow(), arguments.Bind("format")[0].Text("format")));
        Add("namespace", Namespace);
        Add("dict", arguments => FromNamed(arguments));
        Add("range", Range);
        return scope;

        void Add(string name, Func<CallArguments, object?> body) => scope.Set(name, new TemplateFunction(name, body));
    }

    private static TemplateNamespace Namespace(CallArguments arguments)
    {
        var space = new TemplateNamespace();
        foreach (var (name, value) in FromNamed(arguments))
            space.Attributes[name] = value;
        return space;
    }

    private static TemplateMap FromNamed(CallArguments arguments)
    {
        var map = new TemplateMap();
        foreach (var source in arguments.Positional)
        {
            if (source is not TemplateMap other)
                throw new TemplateFault($"'{arguments.Function}' of {PythonValue.TypeName(source)} is not supported.");
            foreach (var (name, value) in other)
                map[name] = value;
        }

        foreach (var (name, value) in arguments.Named)
            map[name] = value;
        return map;
    }

    private static List<object?> Range(CallArguments arguments)
    {
        var bound = arguments.Bind("start", "stop", "step");
        var (start, stop) = bound[1].IsGiven() ? (bound[0].Integer("start"), bound[1].Integer("stop")) : (0, bound[0].Integer("stop"));
        var step = bound[2].Integer("step", 1);
        if (step == 0)
            throw new TemplateFault("'range' has the step 0.");
        var items = new List<object?>();
        for (var i = start; step > 0 ? i < stop : i > stop; i += step)
        {
            if (items.Count == LongestRange)
                throw new TemplateFault($"'range' is longer than {LongestRange} items.");
            items.Add(i);
        }

        return items;
    }
}
