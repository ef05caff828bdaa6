using System.Runtime.CompilerServices;
using System.Text;
using DeltaKV.Tokenization.Templates.Expressions;

namespace DeltaKV.Tokenization.Templates.Statements;

/// <summary><c>{% macro name(parameters) %} text {% endmacro %}</c>: a function that gives the text it writes.</summary>
internal sealed class MacroStatement(string name, IReadOnlyList<(string Name, Expression? Default)> parameters, Block body, int line) : Statement(line)
{
    protected override Flow Run(TemplateScope scope, StringBuilder output)
    {
        scope.Set(name, new TemplateFunction(name, arguments => Call(arguments, scope)));
        return Flow.Next;
    }

    private string Call(CallArguments arguments, TemplateScope definedIn)
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new TemplateFault($"the macro '{name}' calls itself too deeply.");
        var scope = new TemplateScope(definedIn);
        var bound = arguments.Bind([.. parameters.Select(parameter => parameter.Name)]);
        for (var i = 0; i < bound.Length; i++)
        {
            var (parameter, fallback) = parameters[i];
            scope.Set(parameter, bound[i].IsGiven() ? bound[i] : fallback?.Evaluate(scope) ?? Absent(fallback, parameter));
        }

        return body.Capture(scope);
    }

    private static Undefined? Absent(Expression? fallback, string parameter) =>
        fallback is null ? new Undefined($"the parameter '{parameter}' was not given") : null;
}
