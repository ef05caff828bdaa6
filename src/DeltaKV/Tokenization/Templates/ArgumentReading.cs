using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates;

/// <summary>Reads bound arguments as the type a function wants.</summary>
internal static class ArgumentReading
{
    internal static bool IsGiven(this object? argument) => argument is not CallArguments.Missing;

    internal static object? Or(this object? argument, object? fallback) => argument.IsGiven() ? argument : fallback;

    internal static string Text(this object? argument, string name) => argument switch
    {
        string text => text,
        CallArguments.Missing => throw new TemplateFault($"the argument '{name}' is missing."),
        _ => throw new TemplateFault($"the argument '{name}' is {PythonValue.TypeName(argument)}, expected a string."),
    };

    internal static long Integer(this object? argument, string name, long? fallback = null) => argument switch
    {
        long number => number,
        bool flag => flag ? 1 : 0,
        CallArguments.Missing when fallback is { } value => value,
        CallArguments.Missing => throw new TemplateFault($"the argument '{name}' is missing."),
        _ => throw new TemplateFault($"the argument '{name}' is {PythonValue.TypeName(argument)}, expected an integer."),
    };

    internal static bool Flag(this object? argument, bool fallback) => argument.IsGiven() ? PythonValue.IsTrue(argument) : fallback;
}
