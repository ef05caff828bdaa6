using System.Text;
using System.Text.Json;
using static System.FormattableString;

namespace DeltaKV.Evaluation;

/// <summary>Writes results for people (Markdown, which also reads well as plain text) and for programs (JSON).</summary>
internal static class EvaluationTable
{
    /// <summary>A sentence on what the table is of.</summary>
    public static string Title(EvaluationPlan plan, string device) => Invariant(
        $"{plan.Model} on {device}, seed {plan.Seed}, {plan.Questions} questions per task and length, question-{Describe(plan.Setting)}.");

    /// <summary>A Markdown table with aligned columns: a row per length and method, a column per task, and the interval of all tasks together.</summary>
    /// <param name="plan">What was measured.</param>
    /// <param name="journal">What came out.</param>
    /// <param name="records">The same, added up.</param>
    /// <param name="width">Letters in a line; a wider table becomes several that begin with the same columns.</param>
    public static string Markdown(EvaluationPlan plan, EvaluationJournal journal, IReadOnlyList<EvaluationRecord> records, int width = int.MaxValue)
    {
        string[] header = ["method", "length", "KV %", .. plan.Tasks, "all", "vs full", "95 % interval", "KL", "perplexity", "TTFT ms", "tok/s", "n"];
        var rows = new List<string[]> { header };
        foreach (var length in plan.Lengths)
        {
            foreach (var method in plan.Methods)
                rows.Add(Row(plan, journal, [.. records.Where(r => r.Method == method && r.Length == length)]));
        }

        var widths = Enumerable.Range(0, header.Length).Select(c => rows.Max(r => r[c].Length)).ToArray();
        return string.Join('\n', Blocks(widths, width).Select(columns => Block(rows, widths, columns)));
    }

    /// <summary>A JSON list with one object per method, task and length.</summary>
    public static string Json(IReadOnlyList<EvaluationRecord> records) => JsonSerializer.Serialize(records, EvaluationJson.Indented);

    /// <summary>Columns of each table: method and length, and as many others as a line holds, at least one.</summary>
    private static List<int[]> Blocks(int[] widths, int width)
    {
        const int Border = 3;
        var blocks = new List<int[]>();
        var keys = widths[0] + widths[1] + 2 * Border + 1;
        var (columns, used) = (new List<int>(), keys);
        for (var column = 2; column < widths.Length; column++)
        {
            if (columns.Count > 0 && used + widths[column] + Border > width)
            {
                blocks.Add([0, 1, .. columns]);
                (columns, used) = ([], keys);
            }

            columns.Add(column);
            used += widths[column] + Border;
        }

        return [.. blocks, [0, 1, .. columns]];
    }

    private static string Block(List<string[]> rows, int[] widths, int[] columns)
    {
        var text = new StringBuilder();
        for (var i = 0; i < rows.Count; i++)
        {
            text.Append("| ").AppendJoin(" | ", columns.Select(c => c < 1 ? rows[i][c].PadRight(widths[c]) : rows[i][c].PadLeft(widths[c]))).Append(" |\n");
            if (i == 0)
                text.Append('|').AppendJoin('|', columns.Select(c => c < 1 ? new string('-', widths[c] + 2) : new string('-', widths[c] + 1) + ":")).Append("|\n");
        }

        return text.ToString();
    }

    private static string Describe(EvaluationSetting setting) => setting == EvaluationSetting.Agnostic
        ? "agnostic (documents are compressed before any question is seen)"
        : "aware (the question stands in the compressed prompt)";

    /// <summary>One method at one length: its records by task.</summary>
    private static string[] Row(EvaluationPlan plan, EvaluationJournal journal, EvaluationRecord[] tasks)
    {
        var first = tasks[0];
        var difference = EvaluationSummary.Difference(plan, journal, first.Method, plan.Tasks, first.Length);
        var ratio = tasks.Sum(r => (double)r.KvBytes) / Math.Max(1, tasks.Sum(r => (double)r.FullKvBytes));
        return
        [
            first.Method, Invariant($"{first.Length}"), Invariant($"{100 * ratio:F1}"), .. tasks.Select(r => Invariant($"{100 * r.Accuracy:F1}")),
            Invariant($"{100 * tasks.Sum(r => r.Correct) / tasks.Sum(r => r.Questions):F1}"),
            difference is { } d ? Invariant($"{100 * d.Difference:+0.0;-0.0;0.0}") : "",
            difference is { } i ? Invariant($"{100 * i.Low:+0.0;-0.0;0.0} .. {100 * i.High:+0.0;-0.0;0.0}") : "",
            first.KlMean is { } kl ? Invariant($"{kl:F4}") : "", first.Perplexity is { } p ? Invariant($"{p:F2}") : "",
            Invariant($"{tasks.Average(r => r.TtftMs):F0}"), Invariant($"{tasks.Average(r => r.DecodeTokensPerSecond):F0}"), Invariant($"{tasks.Sum(r => r.Questions)}"),
        ];
    }
}
