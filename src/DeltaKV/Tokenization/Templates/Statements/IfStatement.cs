using System.Text;
using DeltaKV.Tokenization.Templates.Expressions;
using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates.Statements;

/// <summary><c>{% if %} {% elif %} {% else %} {% endif %}</c>; the branches share the scope around them.</summary>
internal sealed class IfStatement(IReadOnlyList<(Expression Condition, Block Body)> branches, Block otherwise, int line) : Statement(line)
{
    protected override Flow Run(TemplateScope scope, StringBuilder output)
    {
        foreach (var (condition, body) in branches)
        {
            if (PythonValue.IsTrue(condition.Evaluate(scope)))
                return body.Execute(scope, output);
        }

        return otherwise.Execute(scope, output);
    }
}
