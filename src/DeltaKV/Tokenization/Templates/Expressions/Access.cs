using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates.Expressions;

/// <summary><c>a.name</c>: an attribute, then an item.</summary>
internal sealed class AttributeAccess(Expression target, string name) : Expression
{
    protected override object? Compute(TemplateScope scope) => PythonAccess.Attribute(target.Evaluate(scope), name);
}

/// <summary><c>a[key]</c>: an item, then an attribute.</summary>
internal sealed class ItemAccess(Expression target, Expression key) : Expression
{
    protected override object? Compute(TemplateScope scope) => PythonAccess.Item(target.Evaluate(scope), key.Evaluate(scope));
}

/// <summary><c>a[start:stop:step]</c>.</summary>
internal sealed class SliceAccess(Expression target, Expression? start, Expression? stop, Expression? step) : Expression
{
    protected override object? Compute(TemplateScope scope) =>
        PythonAccess.Slice(target.Evaluate(scope), Bound(start, scope), Bound(stop, scope), Bound(step, scope));

    private static long? Bound(Expression? expression, TemplateScope scope) => expression?.Evaluate(scope) switch
    {
        null => null,
        long number => number,
        bool flag => flag ? 1 : 0,
        var other => throw new TemplateFault($"a slice bound is {PythonValue.TypeName(other)}, expected an integer."),
    };
}
