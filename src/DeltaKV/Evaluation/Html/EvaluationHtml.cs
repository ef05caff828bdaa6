using System.Net;
using System.Text;

namespace DeltaKV.Evaluation.Html;

/// <summary>Results as one self-contained page: no script, no style sheet and no picture from elsewhere.</summary>
internal static class EvaluationHtml
{
    private const string Style = """
        :root{color-scheme:light dark;--ink:#1b1f24;--dim:#667085;--paper:#fff;--rule:#e4e7ec}
        @media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--dim:#98a2b3;--paper:#14171a;--rule:#2b3036}}
        body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1000px;margin:40px auto;padding:0 20px}
        h1{font-size:26px;margin:0}h2{font-size:18px;margin:40px 0 8px}p{color:var(--dim);margin:4px 0 16px}
        table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:4px 10px;text-align:right;border-bottom:1px solid var(--rule)}
        td:first-child,th:first-child{text-align:left}td.heat{color:#111;text-align:center;min-width:52px}
        svg text{fill:var(--dim);font:12px system-ui,sans-serif}svg .axis{stroke:var(--rule)}
        """;

    /// <summary>The page of a finished run.</summary>
    public static string Render(EvaluationPlan plan, EvaluationJournal journal, IReadOnlyList<EvaluationRecord> records)
    {
        var text = new StringBuilder();
        text.Append("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">")
            .Append("<title>KV methods side by side</title><style>").Append(Style).Append("</style><h1>KV methods side by side</h1>")
            .Append(FormattableString.Invariant($"<p>{Escape(string.Join(", ", plan.Tasks))}; {plan.Questions} questions per task and length, "))
            .Append(FormattableString.Invariant($"question-{(plan.Setting == EvaluationSetting.Agnostic ? "agnostic: the notes are compressed before any question is seen" : "aware: the question is in the compressed prompt")}; seed {plan.Seed}.</p>"));
        foreach (var length in plan.Lengths)
        {
            var rows = MethodSummary.Of(plan, journal, records, length);
            text.Append(FormattableString.Invariant($"<h2>Accuracy against bytes, {length} tokens</h2>"))
                .Append("<p>Measured KV bytes as a share of the bf16 cache, logarithmic; whiskers are 95 % intervals of the difference to full.</p>")
                .Append(FrontierChart.Svg(rows));
        }

        text.Append("<h2>Accuracy by task and length</h2>").Append(HeatMap(plan, records));
        foreach (var (title, note, value) in Charts)
        {
            text.Append("<h2>").Append(title).Append("</h2><p>").Append(note).Append("</p>")
                .Append(BarChart.Svg([.. plan.Methods.SelectMany(method => plan.Lengths.Select(length =>
                    (FormattableString.Invariant($"{method}, {length}"), records.Where(r => r.Method == method && r.Length == length).Average(value))))]));
        }

        return text.Append("</html>").ToString();
    }

    /// <summary>Text made safe for HTML.</summary>
    public static string Escape(string text) => WebUtility.HtmlEncode(text);

    private static (string Title, string Note, Func<EvaluationRecord, double> Value)[] Charts =>
    [
        ("Memory", "KV cache at the end of an answer, MB.", r => r.KvBytes / 1e6),
        ("Decode speed", "Tokens per second of one sequence, after the first token.", r => r.DecodeTokensPerSecond),
        ("Time to the first token", "Milliseconds from the start of the prompt.", r => r.TtftMs),
    ];

    private static string HeatMap(EvaluationPlan plan, IReadOnlyList<EvaluationRecord> records)
    {
        var text = new StringBuilder("<table><tr><th>method</th>");
        foreach (var (task, length) in Columns(plan))
            text.Append(FormattableString.Invariant($"<th>{Escape(task)}<br>{length}</th>"));
        foreach (var method in plan.Methods)
        {
            text.Append("<tr><td>").Append(Escape(method)).Append("</td>");
            foreach (var (task, length) in Columns(plan))
            {
                var accuracy = records.Single(r => r.Method == method && r.Task == task && r.Length == length).Accuracy;
                // From red over yellow to green, pale enough for dark figures.
                text.Append(FormattableString.Invariant($"<td class=\"heat\" style=\"background:hsl({120 * accuracy:F0} 65% 72%)\">{100 * accuracy:F0}</td>"));
            }
        }

        return text.Append("</table>").ToString();
    }

    private static IEnumerable<(string Task, int Length)> Columns(EvaluationPlan plan) =>
        plan.Tasks.SelectMany(task => plan.Lengths.Select(length => (task, length)));
}
