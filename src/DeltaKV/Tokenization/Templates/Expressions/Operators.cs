using System.Text;
using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates.Expressions;

internal sealed class Conditional(Expression condition, Expression whenTrue, Expression? whenFalse) : Expression
{
    protected override object? Compute(TemplateScope scope)
    {
        if (PythonValue.IsTrue(condition.Evaluate(scope)))
            return whenTrue.Evaluate(scope);
        return whenFalse is null ? new Undefined("the inline 'if' has no 'else' and its condition is false") : whenFalse.Evaluate(scope);
    }
}

/// <summary><c>and</c> and <c>or</c>, which give the operand that decides rather than a boolean.</summary>
internal sealed class ShortCircuit(Expression left, Expression right, bool stopsAt) : Expression
{
    protected override object? Compute(TemplateScope scope)
    {
        var value = left.Evaluate(scope);
        return PythonValue.IsTrue(value) == stopsAt ? value : right.Evaluate(scope);
    }
}

internal sealed class Not(Expression operand) : Expression
{
    protected override object? Compute(TemplateScope scope) => !PythonValue.IsTrue(operand.Evaluate(scope));
}

internal sealed class Signed(string sign, Expression operand) : Expression
{
    protected override object? Compute(TemplateScope scope) => PythonArithmetic.Apply(sign, 0L, operand.Evaluate(scope));
}

internal sealed class Arithmetic(string operation, Expression left, Expression right) : Expression
{
    protected override object? Compute(TemplateScope scope) => PythonArithmetic.Apply(operation, left.Evaluate(scope), right.Evaluate(scope));
}

/// <summary><c>~</c>: the operands as text, one after the other.</summary>
internal sealed class Concatenation(IReadOnlyList<Expression> parts) : Expression
{
    protected override object? Compute(TemplateScope scope)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
            text.Append(PythonText.ToText(part.Evaluate(scope)));
        return text.ToString();
    }
}

/// <summary>A chain of comparisons, <c>a &lt; b &lt;= c</c>, true when each holds.</summary>
internal sealed class Comparison(Expression first, IReadOnlyList<(string Operation, Expression Operand)> rest) : Expression
{
    protected override object? Compute(TemplateScope scope)
    {
        var left = first.Evaluate(scope);
        foreach (var (operation, operand) in rest)
        {
            var right = operand.Evaluate(scope);
            if (!PythonValue.Compare(operation, left, right))
                return false;
            left = right;
        }

        return true;
    }
}
