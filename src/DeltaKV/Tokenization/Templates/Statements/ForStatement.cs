using System.Text;
using DeltaKV.Tokenization.Templates.Expressions;
using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates.Statements;

/// <summary><c>{% for target in items if filter %} {% else %} {% endfor %}</c>.</summary>
internal sealed class ForStatement(AssignmentTarget target, Expression items, Expression? filter, Block body, Block otherwise, int line) : Statement(line)
{
    protected override Flow Run(TemplateScope scope, StringBuilder output)
    {
        var chosen = Chosen(scope);
        if (chosen.Count == 0)
            return otherwise.Execute(new TemplateScope(scope), output);

        var loop = new LoopState(chosen);
        for (var i = 0; i < chosen.Count; i++)
        {
            loop.Index = i;
            var inner = new TemplateScope(scope);
            inner.Set("loop", loop);
            target.Assign(inner, chosen[i]);
            if (body.Execute(inner, output) == Flow.Break)
                break;
        }

        return Flow.Next;
    }

    private IReadOnlyList<object?> Chosen(TemplateScope scope)
    {
        var all = PythonValue.Iterate(items.Evaluate(scope));
        if (filter is null)
            return all;
        var inner = new TemplateScope(scope);
        return [.. all.Where(item =>
        {
            target.Assign(inner, item);
            return PythonValue.IsTrue(filter.Evaluate(inner));
        })];
    }
}
