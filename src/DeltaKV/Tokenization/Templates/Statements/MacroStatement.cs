using System.Text;
using DeltaKV.Tokenization.Templates.Expressions;

namespace DeltaKV.Tokenization.Templates.Statements;

/// <summary><c>{% macro name(parameters) %} text {% endmacro %}</c>: a function that gives the text it writes.</summary>
internal sealed class MacroStatement(string name, IReadOnlyList<(string Name, Expression? Default)> parameters, Block body, int line) : Statement(line)
{
    /// <summary>Python's own limit on recursion stops Jinja at about this depth.</summary>
    private const int DeepestCall = 200;

    protected override Flow Run(TemplateScope scope, StringBuilder output)
    {
        scope.Set(name, new TemplateFunction(name, arguments => Call(arguments, scope)));
        return Flow.Next;
    }

    private string Call(CallArguments arguments, TemplateScope definedIn)
    {
        var root = definedIn.Root;
        if (root.CallDepth == DeepestCall)
            throw new TemplateFault($"macros call each other more than {DeepestCall} deep, last '{name}'.");
        var scope = new TemplateScope(definedIn);
        var bound = arguments.Bind([.. parameters.Select(parameter => parameter.Name)]);
        for (var i = 0; i < bound.Length; i++)
        {
            var (parameter, fallback) = parameters[i];
            scope.Set(parameter, bound[i].IsGiven() ? bound[i] : fallback?.Evaluate(scope) ?? Absent(fallback, parameter));
        }

        root.CallDepth++;
        var text = body.Capture(scope);
        root.CallDepth--;
        return text;
    }

    private static Undefined? Absent(Expression? fallback, string parameter) =>
        fallback is null ? new Undefined($"the parameter '{parameter}' was not given") : null;
}
