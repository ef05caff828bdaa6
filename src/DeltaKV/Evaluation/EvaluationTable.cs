using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DeltaKV.Evaluation;

/// <summary>Writes results for people (Markdown, which also reads well as plain text) and for programs (JSON).</summary>
internal static class EvaluationTable
{
    private static readonly string[] Header =
        ["method", "task", "length", "KV %", "accuracy", "vs full", "95 % interval", "KL", "perplexity", "TTFT ms", "tok/s", "n"];

    /// <summary>A sentence on what the table is of.</summary>
    public static string Title(EvaluationPlan plan, string device) => Text(
        $"{plan.Model} on {device}, seed {plan.Seed}, {plan.Questions} questions per task and length, question-{Describe(plan.Setting)}.");

    /// <summary>A Markdown table with aligned columns; lengths with several tasks end in a row over all of them.</summary>
    public static string Markdown(EvaluationPlan plan, EvaluationJournal journal, IReadOnlyList<EvaluationRecord> records)
    {
        var rows = new List<string[]> { Header };
        foreach (var group in records.GroupBy(r => (r.Method, r.Length)))
        {
            foreach (var record in group)
                rows.Add(Row(plan, journal, record, [record.Task]));
            if (group.Count() > 1)
                rows.Add(Row(plan, journal, Total([.. group]), [.. group.Select(r => r.Task)]));
        }

        var widths = Enumerable.Range(0, Header.Length).Select(c => rows.Max(r => r[c].Length)).ToArray();
        var text = new StringBuilder();
        for (var i = 0; i < rows.Count; i++)
        {
            text.Append("| ").AppendJoin(" | ", rows[i].Select((cell, c) => c < 2 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]))).Append(" |\n");
            if (i == 0)
                text.Append('|').AppendJoin('|', widths.Select((w, c) => c < 2 ? new string('-', w + 2) : new string('-', w + 1) + ":")).Append("|\n");
        }

        return text.ToString();
    }

    /// <summary>A JSON list with one object per method, task and length.</summary>
    public static string Json(IReadOnlyList<EvaluationRecord> records) => JsonSerializer.Serialize(records, EvaluationJson.Indented);

    private static string Describe(EvaluationSetting setting) => setting == EvaluationSetting.Agnostic
        ? "agnostic (documents are compressed before any question is seen)"
        : "aware (the question stands in the compressed prompt)";

    private static EvaluationRecord Total(IReadOnlyList<EvaluationRecord> records) => records[0] with
    {
        Task = "all",
        Questions = records.Sum(r => r.Questions),
        Correct = records.Sum(r => r.Correct),
        Accuracy = records.Sum(r => r.Correct) / records.Sum(r => r.Questions),
        Ratio = records.Sum(r => (double)r.KvBytes) / Math.Max(1, records.Sum(r => (double)r.FullKvBytes)),
        TtftMs = records.Average(r => r.TtftMs),
        DecodeTokensPerSecond = records.Average(r => r.DecodeTokensPerSecond),
    };

    private static string[] Row(EvaluationPlan plan, EvaluationJournal journal, EvaluationRecord record, string[] tasks)
    {
        var difference = EvaluationSummary.Difference(plan, journal, record.Method, tasks, record.Length);
        return
        [
            record.Method, record.Task, Text($"{record.Length}"), Text($"{100 * record.Ratio:F1}"), Text($"{100 * record.Accuracy:F1}"),
            difference is { } d ? Text($"{100 * d.Difference:+0.0;-0.0;0.0}") : "",
            difference is { } i ? Text($"{100 * i.Low:+0.0;-0.0;0.0} .. {100 * i.High:+0.0;-0.0;0.0}") : "",
            record.KlMean is { } kl ? Text($"{kl:F4}") : "", record.Perplexity is { } p ? Text($"{p:F2}") : "",
            Text($"{record.TtftMs:F0}"), Text($"{record.DecodeTokensPerSecond:F0}"), Text($"{record.Questions}"),
        ];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
