namespace DeltaKV.Tokenization.Templates.Expressions;

internal sealed class Constant(object? value) : Expression
{
    protected override object? Compute(TemplateScope scope) => value;
}

internal sealed class Variable(string name) : Expression
{
    internal string Name => name;

    protected override object? Compute(TemplateScope scope) => scope.Get(name);
}

internal sealed class ListLiteral(IReadOnlyList<Expression> items) : Expression
{
    protected override object? Compute(TemplateScope scope) => items.Select(item => item.Evaluate(scope)).ToList();
}

internal sealed class TupleLiteral(IReadOnlyList<Expression> items) : Expression
{
    protected override object? Compute(TemplateScope scope) => items.Select(item => item.Evaluate(scope)).ToArray();
}

internal sealed class MapLiteral(IReadOnlyList<(Expression Key, Expression Value)> entries) : Expression
{
    protected override object? Compute(TemplateScope scope)
    {
        var map = new TemplateMap();
        foreach (var (key, value) in entries)
        {
            map[key.Evaluate(scope) as string ?? throw new TemplateFault("a dictionary key is not a string; only string keys are supported.")]
                = value.Evaluate(scope);
        }

        return map;
    }
}
