using DeltaKV.Evaluation.Notes;
using DeltaKV.Evaluation.Ruler;

namespace DeltaKV.Evaluation;

/// <summary>Lists of tasks as people write them.</summary>
internal static class EvaluationTasks
{
    /// <summary>Names that stand for several tasks, besides beginnings of names such as <c>niah</c> and <c>niah-single</c>.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyCollection<string>> Groups { get; } = new Dictionary<string, IReadOnlyCollection<string>>(StringComparer.Ordinal)
    {
        ["notes"] = NoteFamily.Names,
        ["ruler"] = RulerTask.Names,
    };

    /// <summary>Tasks from names separated by commas, each once; a name that nothing answers to stays, for the plan to refuse.</summary>
    public static IReadOnlyList<string> Parse(string list) =>
        [.. list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).SelectMany(Expand).Distinct(StringComparer.Ordinal)];

    private static IEnumerable<string> Expand(string name)
    {
        if (EvaluationPlan.KnownTasks.Contains(name, StringComparer.Ordinal))
            return [name];
        if (Groups.TryGetValue(name, out var group))
            return group;
        var begun = EvaluationPlan.KnownTasks.Where(task => task.StartsWith(name + "-", StringComparison.Ordinal)).ToArray();
        return begun.Length > 0 ? begun : [name];
    }
}
