namespace DeltaKV.Tokenization.Templates;

/// <summary>The evaluated arguments of a call.</summary>
internal sealed record CallArguments(string Function, IReadOnlyList<object?> Positional, IReadOnlyDictionary<string, object?> Named)
{
    /// <summary>
    /// Assigns arguments to parameters; <see cref="Missing"/> where none is given. More or other arguments than parameters are an error.
    /// </summary>
    internal object?[] Bind(params ReadOnlySpan<string> parameters)
    {
        var values = new object?[parameters.Length];
        Array.Fill(values, Missing.Value);
        if (Positional.Count > parameters.Length)
            throw new TemplateFault($"'{Function}' takes at most {parameters.Length} arguments here, found {Positional.Count}.");
        for (var i = 0; i < Positional.Count; i++)
            values[i] = Positional[i];
        foreach (var (name, value) in Named)
        {
            var index = parameters.IndexOf(name);
            if (index < 0)
                throw new TemplateFault($"'{Function}' with the argument '{name}' is not supported.");
            values[index] = value;
        }

        return values;
    }

    /// <summary>The arguments after the first <paramref name="count"/>, as those of another function.</summary>
    internal CallArguments Skip(int count, string function) => new(function, [.. Positional.Skip(count)], Named);

    /// <summary>Stands for an argument that was not given; null is Python's None.</summary>
    internal sealed class Missing
    {
        internal static readonly Missing Value = new();
    }
}
