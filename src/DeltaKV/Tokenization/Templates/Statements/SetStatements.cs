using System.Text;
using DeltaKV.Tokenization.Templates.Expressions;

namespace DeltaKV.Tokenization.Templates.Statements;

/// <summary><c>{% set target = value %}</c>.</summary>
internal sealed class SetStatement(AssignmentTarget target, Expression value, int line) : Statement(line)
{
    protected override Flow Run(TemplateScope scope, StringBuilder output)
    {
        target.Assign(scope, value.Evaluate(scope));
        return Flow.Next;
    }
}

/// <summary><c>{% set target | filter %} text {% endset %}</c>.</summary>
internal sealed class SetBlockStatement(AssignmentTarget target, Func<Expression, Expression> filters, Block body, int line) : Statement(line)
{
    protected override Flow Run(TemplateScope scope, StringBuilder output)
    {
        var text = body.Capture(new TemplateScope(scope));
        target.Assign(scope, filters(new Constant(text)).Evaluate(scope));
        return Flow.Next;
    }
}

/// <summary><c>{% filter name %} text {% endfilter %}</c>.</summary>
internal sealed class FilterStatement(Func<Expression, Expression> filters, Block body, int line) : Statement(line)
{
    protected override Flow Run(TemplateScope scope, StringBuilder output)
    {
        var text = body.Capture(new TemplateScope(scope));
        output.Append(Python.PythonText.ToText(filters(new Constant(text)).Evaluate(scope)));
        return Flow.Next;
    }
}

/// <summary><c>{% generation %} text {% endgeneration %}</c>: Hugging Face's mark for training; when rendering, only a scope.</summary>
internal sealed class GenerationStatement(Block body, int line) : Statement(line)
{
    protected override Flow Run(TemplateScope scope, StringBuilder output) => body.Execute(new TemplateScope(scope), output);
}
