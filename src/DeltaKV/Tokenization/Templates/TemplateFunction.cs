namespace DeltaKV.Tokenization.Templates;

/// <summary>Something a template can call: a global, a macro, or a method bound to its object.</summary>
internal sealed class TemplateFunction(string name, Func<CallArguments, object?> body)
{
    internal string Name => name;

    internal object? Invoke(CallArguments arguments) => body(arguments);
}
