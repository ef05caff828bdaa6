using System.Text;
using DeltaKV.Tokenization.Templates.Expressions;
using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates.Statements;

/// <summary>Text outside of tags.</summary>
internal sealed class TextStatement(string text, int line) : Statement(line)
{
    protected override Flow Run(TemplateScope scope, StringBuilder output)
    {
        output.Append(text);
        return Flow.Next;
    }
}

/// <summary><c>{{ expression }}</c>.</summary>
internal sealed class OutputStatement(Expression expression, int line) : Statement(line)
{
    protected override Flow Run(TemplateScope scope, StringBuilder output)
    {
        output.Append(PythonText.ToText(expression.Evaluate(scope)));
        return Flow.Next;
    }
}

/// <summary><c>{% break %}</c> and <c>{% continue %}</c>.</summary>
internal sealed class LoopExit(Flow flow, int line) : Statement(line)
{
    protected override Flow Run(TemplateScope scope, StringBuilder output) => flow;
}
