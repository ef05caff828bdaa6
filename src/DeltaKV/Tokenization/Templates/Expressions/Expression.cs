namespace DeltaKV.Tokenization.Templates.Expressions;

/// <summary>
/// An expression of a template. Values are Python's, as plain .NET objects: null, <see cref="bool"/>, <see cref="long"/>, <see
/// cref="double"/>,
/// <see cref="System.Numerics.BigInteger"/> (only passed through), <see cref="string"/>, <c>List&lt;object?&gt;</c>, <c>object?[]</c> for a
/// tuple,
/// <see cref="TemplateMap"/>, <see cref="TemplateNamespace"/>, <see cref="LoopState"/>, <see cref="TemplateFunction"/> and <see
/// cref="Undefined"/>.
/// </summary>
internal abstract class Expression
{
    internal object? Evaluate(TemplateScope scope)
    {
        RecursionGuard.Check();
        return Compute(scope);
    }

    protected abstract object? Compute(TemplateScope scope);
}
