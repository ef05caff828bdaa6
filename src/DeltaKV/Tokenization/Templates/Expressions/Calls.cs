namespace DeltaKV.Tokenization.Templates.Expressions;

/// <summary>The arguments of a call as written.</summary>
internal sealed record ArgumentList(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named)
{
    internal static ArgumentList Empty { get; } = new([], []);

    internal CallArguments Evaluate(string function, TemplateScope scope) => new(
        function,
        [.. Positional.Select(argument => argument.Evaluate(scope))],
        Named.ToDictionary(argument => argument.Name, argument => argument.Value.Evaluate(scope)));
}

internal sealed class Call(Expression target, ArgumentList arguments) : Expression
{
    protected override object? Compute(TemplateScope scope) => target.Evaluate(scope) switch
    {
        TemplateFunction function => function.Invoke(arguments.Evaluate(function.Name, scope)),
        Undefined undefined => throw undefined.Fault(),
        var other => throw new TemplateFault($"{Python.PythonValue.TypeName(other)} is not a function."),
    };
}

internal sealed class FilterCall(string name, TemplateFilter filter, Expression target, ArgumentList arguments) : Expression
{
    protected override object? Compute(TemplateScope scope) => filter(target.Evaluate(scope), arguments.Evaluate(name, scope));
}

internal sealed class TestCall(string name, TemplateTest test, Expression target, ArgumentList arguments) : Expression
{
    protected override object? Compute(TemplateScope scope) => test(target.Evaluate(scope), arguments.Evaluate(name, scope));
}
