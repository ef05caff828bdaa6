using System.Globalization;
using static System.FormattableString;

namespace DeltaKV.Evaluation.Html;

/// <summary>Results as one self-contained page.</summary>
internal sealed class EvaluationHtml
{
    private readonly EvaluationPlan plan;
    private readonly EvaluationJournal journal;
    private readonly IReadOnlyList<EvaluationRecord> records;
    private readonly MethodFamilies families;
    private readonly string[] methods;

    private EvaluationHtml(EvaluationPlan plan, EvaluationJournal journal, IReadOnlyList<EvaluationRecord> records)
    {
        (this.plan, this.journal, this.records) = (plan, journal, records);
        families = new MethodFamilies(plan.Methods);
        // By what they hold: the eye then finds neighbours of the frontier beside each other.
        methods = [.. plan.Methods.OrderByDescending(m => m == EvaluationRunner.Baseline).ThenByDescending(m => Of(m).Average(r => r.Ratio))];
    }

    /// <summary>The page of a finished run.</summary>
    public static string Render(EvaluationPlan plan, EvaluationJournal journal, IReadOnlyList<EvaluationRecord> records) =>
        new EvaluationHtml(plan, journal, records).Render();

    private string Render()
    {
        var setting = plan.Setting == EvaluationSetting.Agnostic
            ? "The documents are compressed before any question is seen, and every question continues from the same compressed cache"
            : "The question stands in the prompt that is compressed";
        var page = new HtmlPage("KV methods side by side", $"{setting} (question-{(plan.Setting == EvaluationSetting.Agnostic ? "agnostic" : "aware")}).");
        if (plan.Model.Length > 0)
            page.Card(plan.Model, "model");
        page.Card(Invariant($"{plan.Methods.Count}"), "methods");
        page.Card(Invariant($"{records.GroupBy(r => r.Method).Max(g => g.Sum(r => r.Questions)):N0}"), "questions to each");
        page.Card(string.Join(" / ", plan.Lengths.Select(Tokens)), "tokens a document");
        page.Card(Invariant($"{plan.Tasks.Count}"), plan.Tasks.Count > 8 ? "tasks" : $"{(plan.Tasks.Count == 1 ? "task" : "tasks")}: {string.Join(", ", plan.Tasks)}");
        page.Card(Invariant($"{plan.Seed}"), "seed");
        foreach (var length in plan.Lengths)
            Frontier(page, length);
        Divergence(page);
        Depths(page);
        Tasks(page);
        Bars(page, "Memory", "What the cache of one sequence holds when the answer ends, MB; the pale part is the most it held at any time, its prompt's prefill included.",
            r => r.KvBytes / 1e6, r => r.PeakKvBytes / 1e6, "F2", "MB");
        Bars(page, "Decode speed", "Tokens per second of an answer after its first, while the other questions about its document are answered in the same steps. Speeds to quote are those of deltakv bench.", r => r.DecodeTokensPerSecond, null, "F0", "tok/s");
        Bars(page, "Time to the first token", "Milliseconds from the start of the document to the first token of an answer; what is computed for several questions at once counts for each.", r => r.TtftMs, null, "F0", "ms");
        Figures(page);
        return page.ToString();
    }

    private void Frontier(HtmlPage page, int length)
    {
        var summaries = MethodSummary.Of(plan, journal, records, length);
        var full = summaries.FirstOrDefault(s => s.Method == EvaluationRunner.Baseline);
        var series = Series(summaries.Where(s => s != full), s => new ChartPoint(
            100 * s.Ratio, 100 * s.Accuracy, 100 * s.Low, 100 * s.High,
            Invariant($"{Described(s.Method)}\n{100 * s.Accuracy:F1} % right ({100 * s.Low:F1} to {100 * s.High:F1})\n{100 * s.Ratio:F1} % of the bytes")), s => s.Method);
        if (series.Count == 0)
            return;
        var chart = new LineChart(Bytes(summaries), new Axis(0, 100, 0, 0, Unit: " %"), "KV bytes held, % of an uncompressed bf16 cache", "right answers")
        {
            Baseline = full is null ? null : (100 * full.Accuracy, Invariant($"full cache {100 * full.Accuracy:F1} %")),
        };
        page.Section(
            $"Accuracy against bytes, {Tokens(length)} tokens",
            "Further up is better, further left is smaller. Whiskers are 95 % intervals of the difference to the full cache, drawn by document.", chart.Draw(series));
        var close = full is null ? [] : summaries.Where(s => s != full && s.Accuracy >= full.Accuracy - 0.1).ToArray();
        // Where all are as good as the full cache, there is nothing to be seen closer.
        if (full is null || close.Length < 2 || close.All(s => s.Accuracy.Equals(full.Accuracy)))
            return;
        var top = Math.Min(100, 100 * Math.Max(full.Accuracy, close.Max(s => s.Accuracy)) + 1);
        // Low enough for every point: one at the edge of a chart would be read as one that is there.
        var bottom = Math.Min(top - 12, 100 * close.Min(s => s.Accuracy) - 1);
        var near = Series(close, s => new ChartPoint(
            100 * s.Ratio, 100 * s.Accuracy, Math.Max(100 * s.Low, bottom), Math.Min(100 * s.High, top),
            Invariant($"{Described(s.Method)}\n{100 * (s.Accuracy - full.Accuracy):+0.0;-0.0;0.0} points\n{100 * s.Ratio:F1} % of the bytes")), s => s.Method);
        page.Section(
            $"The last points, {Tokens(length)} tokens", "The same, close to the full cache.",
            (chart with { Vertical = new Axis(bottom, top, 0, 0, Unit: " %") }).Draw(near));
    }

    private void Divergence(HtmlPage page)
    {
        foreach (var length in plan.Lengths)
        {
            var measured = plan.Methods.Select(m => records.First(r => r.Method == m && r.Length == length))
                .Where(r => r.Method != EvaluationRunner.Baseline && r.KlMean is > 0).ToArray();
            if (measured.Length < 2)
                continue;
            var (low, high) = (measured.Min(r => r.KlMean!.Value), measured.Max(r => r.KlMean!.Value));
            var series = Series(measured, r => new ChartPoint(
                100 * r.Ratio, r.KlMean!.Value, 0, 0, Invariant($"{r.Method}\nKL {r.KlMean:G3} nats, perplexity {r.Perplexity:F2}\n{100 * r.Ratio:F1} % of the bytes")), r => r.Method);
            var summaries = MethodSummary.Of(plan, journal, records, length);
            page.Section(
                $"Divergence against bytes, {Tokens(length)} tokens",
                "How far predictions of plain text behind a compressed context are from the full cache's: the most sensitive measure. Lower is better.",
                new LineChart(
                    Bytes(summaries), new Axis(low * 0.7, high * 1.4, 0, 0, IsLogarithmic: true), "KV bytes held, % of an uncompressed bf16 cache",
                    "mean KL divergence, nats").Draw(series));
        }
    }

    private void Depths(HtmlPage page)
    {
        var depths = new DepthAccuracy(plan, journal);
        if (depths.IsEmpty)
            return;
        page.Section(
            "Where in the document", "Right answers, %, by how deep in the document stood what was asked about (rows) and by its length in tokens (columns).",
            HtmlPage.Grid(methods.Select(method => (
                method,
                new HeatMap([.. Enumerable.Range(0, DepthAccuracy.Parts).Select(DepthAccuracy.Name)], [.. plan.Lengths.Select(Tokens)]) { Cell = (70, 26) }.Draw(
                    (row, column) => depths.Of(method, plan.Lengths[column], row).Accuracy,
                    (row, column) => depths.Of(method, plan.Lengths[column], row) is ({ } accuracy, var count)
                        ? Invariant($"{method}\n{100 * accuracy:F1} % of {count} questions")
                        : $"{method}\nnothing asked")))));
    }

    private void Tasks(HtmlPage page)
    {
        // Whichever way is narrower: a page of many tasks with long names would shrink until nobody can read it.
        var areRowsMethods = HeatMap.WidthOf(methods, plan.Tasks) <= HeatMap.WidthOf(plan.Tasks, methods);
        var (rows, columns) = areRowsMethods ? (methods, plan.Tasks) : (plan.Tasks, (IReadOnlyList<string>)methods);
        EvaluationRecord At(int row, int column, int length) =>
            areRowsMethods ? Find(rows[row], columns[column], length) : Find(columns[column], rows[row], length);
        page.Section("Task by task", "Right answers, %.", HtmlPage.Grid(
            plan.Lengths.Select(length => (
                $"{Tokens(length)} tokens",
                new HeatMap(rows, columns) { Cell = (HeatMap.CellFor(columns), 26) }.Draw(
                    (row, column) => At(row, column, length).Accuracy,
                    (row, column) => At(row, column, length) is var r
                        ? Invariant($"{r.Method}, {r.Task}\n{r.Correct:G6} of {r.Questions}\n{100 * r.Ratio:F1} % of the bytes")
                        : ""))),
            isWide: true));
    }

    private void Bars(HtmlPage page, string heading, string note, Func<EvaluationRecord, double> value, Func<EvaluationRecord, double>? beyond, string format, string unit)
    {
        page.Section(heading, note, HtmlPage.Grid(
            plan.Lengths.Select(length => (
                $"{Tokens(length)} tokens",
                BarChart.Draw(
                    $"{heading}, {length} tokens",
                    [.. methods.Select(method =>
                    {
                        var own = Of(method).Where(r => r.Length == length).ToArray();
                        var (mean, most) = (own.Average(value), beyond is null ? (double?)null : own.Max(beyond));
                        var tip = most is { } m ? Invariant($"{method}\n{mean.ToString(format, CultureInfo.InvariantCulture)} {unit}, at most {m.ToString(format, CultureInfo.InvariantCulture)} {unit}") : Invariant($"{method}\n{mean.ToString(format, CultureInfo.InvariantCulture)} {unit}");
                        return (method, families.Color(MethodFamilies.Of(method)), mean, most, tip);
                    })],
                    format, unit))),
            isWide: true));
    }

    private void Figures(HtmlPage page) => page.Section(
        "The figures", "Intervals are 95 %, paired by question and drawn by document.",
        HtmlPage.Table(
            ["method", "length", "KV %", "right %", "vs full, points", "95 % interval", "KL", "perplexity", "TTFT ms", "tok/s", "peak MB", "questions"],
            from length in plan.Lengths
            from method in methods
            let own = Of(method).Where(r => r.Length == length).ToArray()
            let difference = EvaluationSummary.Difference(plan, journal, method, plan.Tasks, length)
            select (IReadOnlyList<string>)
            [
                method, Tokens(length), Invariant($"{100 * own.Sum(r => (double)r.KvBytes) / Math.Max(1, own.Sum(r => (double)r.FullKvBytes)):F1}"),
                Invariant($"{100 * own.Sum(r => r.Correct) / own.Sum(r => r.Questions):F1}"),
                difference is { } d ? Invariant($"{100 * d.Difference:+0.0;-0.0;0.0}") : "", difference is { } i ? Invariant($"{100 * i.Low:+0.0;-0.0;0.0} .. {100 * i.High:+0.0;-0.0;0.0}") : "",
                own[0].KlMean is { } kl ? Invariant($"{kl:F4}") : "", own[0].Perplexity is { } p ? Invariant($"{p:F2}") : "",
                Invariant($"{own.Average(r => r.TtftMs):F0}"), Invariant($"{own.Average(r => r.DecodeTokensPerSecond):F0}"), Invariant($"{own.Max(r => r.PeakKvBytes) / 1e6:F2}"),
                Invariant($"{own.Sum(r => r.Questions)}"),
            ]));

    /// <summary>A method's name, and what it is where the name does not say.</summary>
    private string Described(string method) => plan.Method(method).Specification is var specification && specification != method ? $"{method}: {specification}" : method;

    private List<ChartSeries> Series<T>(IEnumerable<T> items, Func<T, ChartPoint> point, Func<T, string> method) =>
        [.. items.GroupBy(item => MethodFamilies.Of(method(item))).Select(g => new ChartSeries(
            g.Count() == 1 ? method(g.First()) : g.Key, families.Color(g.Key), [.. g.Select(point).OrderBy(p => p.X)]))];

    private static Axis Bytes(IReadOnlyList<MethodSummary> summaries) => new(
        100 * Math.Min(0.09, 0.8 * summaries.Min(s => s.Ratio)), 100 * Math.Max(1.05, 1.05 * summaries.Max(s => s.Ratio)), 0, 0, IsLogarithmic: true, Unit: " %");

    private IEnumerable<EvaluationRecord> Of(string method) => records.Where(r => r.Method == method);

    private EvaluationRecord Find(string method, string task, int length) => records.Single(r => r.Method == method && r.Task == task && r.Length == length);

    private static string Tokens(int length) => length % 1024 == 0 ? Invariant($"{length / 1024}k") : Invariant($"{length}");
}
