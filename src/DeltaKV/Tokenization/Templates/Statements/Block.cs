using System.Text;

namespace DeltaKV.Tokenization.Templates.Statements;

/// <summary>Statements one after the other.</summary>
internal sealed class Block(IReadOnlyList<Statement> statements)
{
    internal static Block Empty { get; } = new([]);

    internal Flow Execute(TemplateScope scope, StringBuilder output)
    {
        foreach (var statement in statements)
        {
            if (statement.Execute(scope, output) is not Flow.Next and var flow)
                return flow;
        }

        return Flow.Next;
    }

    /// <summary>What the block writes, in a scope of its own.</summary>
    internal string Capture(TemplateScope scope)
    {
        var output = new StringBuilder();
        Execute(scope, output);
        return output.ToString();
    }
}
