using System.Globalization;

namespace DeltaKV.Evaluation;

/// <summary>A method to be measured: what it is called in results, and what it is.</summary>
/// <param name="Name">The name.</param>
/// <param name="Specification">The method with its settings, in which <c>{task}</c> and <c>{length}</c> stand for the cell that is measured.</param>
internal sealed record EvaluationMethod(string Name, string Specification)
{
    private const string Task = "{task}";

    /// <summary>Reads <c>NAME[:key=value,...]</c>, or the same behind <c>LABEL=</c>.</summary>
    internal static EvaluationMethod Parse(string text)
    {
        var (colon, equals) = (text.IndexOf(':', StringComparison.Ordinal), text.IndexOf('=', StringComparison.Ordinal));
        return equals > 0 && (colon < 0 || equals < colon)
            ? new EvaluationMethod(text[..equals].Trim(), text[(equals + 1)..].Trim())
            : new EvaluationMethod(text.Trim(), text.Trim());
    }

    /// <summary>Whether one and the same method is measured on all tasks, so that plain text can be measured with it too.</summary>
    internal bool IsSameForAllTasks => !Specification.Contains(Task, StringComparison.Ordinal);

    /// <summary>The method that is measured on a task at a length.</summary>
    internal string For(string task, int length) => Specification
        .Replace(Task, task, StringComparison.Ordinal)
        .Replace("{length}", length.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
}
