namespace DeltaKV.Evaluation.Html;

/// <summary>Accuracy by how deep in the document stood what was asked about.</summary>
internal sealed class DepthAccuracy
{
    /// <summary>Parts of a document that are told apart.</summary>
    public const int Parts = 5;

    private readonly Dictionary<(string Method, int Length, int Part), (double Sum, int Count)> cells = [];

    public DepthAccuracy(EvaluationPlan plan, EvaluationJournal journal)
    {
        foreach (var entry in from method in plan.Methods
                              from task in plan.Tasks
                              from length in plan.Lengths
                              from found in EvaluationSummary.Entries(plan, journal, method, task, length)
                              select found)
        {
            for (var i = 0; i < Math.Min(entry.Scores.Count, entry.Depths.Count); i++)
            {
                if (entry.Depths[i] is not { } depth)
                    continue;
                var key = (entry.Method, entry.Length, Math.Clamp((int)(depth * Parts), 0, Parts - 1));
                var (sum, count) = cells.GetValueOrDefault(key);
                cells[key] = (sum + entry.Scores[i], count + 1);
            }
        }
    }

    /// <summary>Whether any question asked about one place.</summary>
    public bool IsEmpty => cells.Count == 0;

    /// <summary>Mean score and number of questions of a part of the documents.</summary>
    public (double? Accuracy, int Questions) Of(string method, int length, int part) =>
        cells.TryGetValue((method, length, part), out var cell) ? (cell.Sum / cell.Count, cell.Count) : (null, 0);

    /// <summary>A part, in words.</summary>
    public static string Name(int part) => FormattableString.Invariant($"{100 * part / Parts}–{100 * (part + 1) / Parts} %");
}
