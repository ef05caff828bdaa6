using System.Globalization;
using System.Text.Json;
using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Evaluation;

public sealed class EvaluationRunnerTests
{
    private static readonly WordTokenizer Words = new();

    private static readonly EvaluationPlan Plan = new()
    {
        Methods = ["lossy", "full"],
        Tasks = ["attr", "json"],
        Lengths = [1024],
        Questions = 40,
        QuestionsPerDocument = 5,
        TextTokens = 8,
        Seed = 77,
    };

    [Theory]
    [InlineData(EvaluationSetting.Agnostic)]
    [InlineData(EvaluationSetting.Aware)]
    public void AccuracyBytesAndIntervalAreThoseOfTheTarget(EvaluationSetting setting)
    {
        var plan = Plan with { Setting = setting };
        var journal = new EvaluationJournal();
        var records = new EvaluationRunner(plan, journal, Words, Open).Run();

        var full = Assert.Single(records, r => r.Method == "full" && r.Task == "attr");
        var lossy = Assert.Single(records, r => r.Method == "lossy" && r.Task == "attr");
        Assert.Equal((40, 1.0, 1.0, 0.0), (full.Questions, full.Accuracy, full.Ratio, full.KlMean));
        Assert.InRange(lossy.Accuracy, 0.4, 0.9);
        Assert.Equal(0.25, lossy.Ratio, 1e-3);
        Assert.True(lossy.KlMean > 0);
        var (difference, low, high) = EvaluationSummary.Difference(plan, journal, "lossy", ["attr"], 1024)!.Value;
        Assert.Equal(lossy.Accuracy - 1, difference, 1e-12);
        Assert.True(low <= difference && difference <= high && low < high);
    }

    [Fact]
    public void AnInterruptedRunGoesOnWhereItStopped()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.Delete(path);
            var opened = new List<RecallTarget>();
            RecallTarget Count(string method)
            {
                opened.Add(Open(method));
                return opened[^1];
            }

            var whole = new EvaluationRunner(Plan, new EvaluationJournal(), Words, Count).Run();
            var starts = opened.Sum(t => t.Starts);
            opened.Clear();
            using var cancellation = new CancellationTokenSource();
            var stop = new SynchronousProgress(p =>
            {
                if (p.Completed == 7)
                    cancellation.Cancel();
            });
            Assert.Throws<OperationCanceledException>(
                () => new EvaluationRunner(Plan, new EvaluationJournal(path), Words, Open, stop).Run(cancellation.Token));
            File.AppendAllText(path, "{\"method\":\"full\",\"ta");

            var resumed = new EvaluationRunner(Plan, new EvaluationJournal(path), Words, Count).Run();

            Assert.Equal(EvaluationTable.Json(whole), EvaluationTable.Json(resumed));
            // Seven were journaled; the baseline's text runs again, because its predictions are not.
            Assert.Equal(starts - 7 + 1, opened.Sum(t => t.Starts));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void WorkersMeasureTheSame(int workers)
    {
        var plan = Plan with { Methods = ["full", "lossy", "lossier", "lossiest"], Lengths = [1024, 2048] };
        var alone = new EvaluationRunner(plan, new EvaluationJournal(), Words, Open).Run();
        var total = 0;
        var last = 0;
        var progress = new SynchronousProgress(p => (last, total) = (p.Completed, p.Total));

        var together = new EvaluationRunner(plan, new EvaluationJournal(), Words, Open, progress) { Workers = workers }.Run();

        Assert.Equal(EvaluationTable.Json(alone), EvaluationTable.Json(together));
        Assert.Equal(total, last);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void AMethodThatFailsIsLeftOutAndNamed(int workers)
    {
        var plan = Plan with { Methods = ["full", "broken", "lossy"] };
        var runner = new EvaluationRunner(
            plan, new EvaluationJournal(), Words, method => method == "broken" ? throw new EvaluationException("It broke.") : Open(method)) { Workers = workers };

        var records = runner.Run();

        Assert.Equal(["full", "full", "lossy", "lossy"], records.Select(r => r.Method));
        Assert.Equal(["full", "lossy"], runner.Measured.Methods);
        Assert.Equal("It broke.", Assert.Single(runner.Failures).Value.Message);
    }

    [Fact]
    public void WithoutTheBaselineThereIsNothingToCompareWith()
    {
        var error = Assert.Throws<EvaluationException>(() => new EvaluationRunner(
            Plan with { TextTokens = 0 }, new EvaluationJournal(), Words, method => method == "full" ? throw new EvaluationException("It broke.") : Open(method)) { Workers = 2 }.Run());
        Assert.Equal("It broke.", error.Message);
    }

    [Fact]
    public void AMethodMayDifferFromTaskToTaskAndThenReadsNoPlainText()
    {
        var plan = Plan with
        {
            Methods = ["full", "left out"], Specifications = new Dictionary<string, string> { ["left out"] = "lossy:codec=without-{task}-{length}" },
        };
        var opened = new List<string>();
        var records = new EvaluationRunner(plan, new EvaluationJournal(), Words, method =>
        {
            opened.Add(method);
            return Open(method);
        }).Run();

        Assert.Equal(["full", "lossy:codec=without-attr-1024", "lossy:codec=without-json-1024"], opened);
        Assert.All(records.Where(r => r.Method == "left out"), r => Assert.Equal((40, null), (r.Questions, r.Perplexity)));
    }

    [Fact]
    public void AJournalOfAnotherRunIsNotTakenForThisOne()
    {
        var journal = new EvaluationJournal();
        new EvaluationRunner(Plan, journal, Words, Open).Run();
        var entries = journal.Entries.Count;
        var other = Plan with { Specifications = new Dictionary<string, string> { ["lossy"] = "lossy:recent=64" } };

        var records = new EvaluationRunner(other, journal, Words, Open).Run();

        // The same full cache, another lossy method.
        Assert.Equal(entries + (entries / 2), journal.Entries.Count);
        Assert.All(records, r => Assert.Equal(40, r.Questions));
    }

    [Fact]
    public void NothingIsOpenedWhenTheJournalHasItAll()
    {
        var journal = new EvaluationJournal();
        var first = new EvaluationRunner(Plan, journal, Words, Open).Run();
        var second = new EvaluationRunner(Plan, journal, Words, _ => throw new InvalidOperationException("Nothing is missing.")).Run();
        Assert.Equal(EvaluationTable.Json(first), EvaluationTable.Json(second));
    }

    [Fact]
    public void JsonHasTheAgreedFieldsAndNoOthers()
    {
        var records = new EvaluationRunner(Plan, new EvaluationJournal(), Words, Open).Run();
        using var json = JsonDocument.Parse(EvaluationTable.Json(records));
        Assert.Equal(
            ["method", "task", "length", "setting", "seed", "questions", "correct", "accuracy", "kvBytes", "fullKvBytes", "ratio",
                "peakKvBytes", "ttftMs", "decodeTokensPerSecond", "klMean", "perplexity"],
            json.RootElement[0].EnumerateObject().Select(p => p.Name));
        Assert.Equal("agnostic", json.RootElement[0].GetProperty("setting").GetString());
    }

    [Fact]
    public void TheTableHasARowPerMethodAndLengthAndAColumnPerTask()
    {
        var plan = Plan with { Lengths = [1024, 2048] };
        var journal = new EvaluationJournal();
        var records = new EvaluationRunner(plan, journal, Words, Open).Run();
        var table = EvaluationTable.Markdown(plan, journal, records);
        var lines = table.TrimEnd('\n').Split('\n');
        Assert.Equal(2 + (2 * 2), lines.Length);
        Assert.Single(lines.Select(l => l.Length).Distinct());
        string[] Cells(string line) => [.. line.Split('|', StringSplitOptions.TrimEntries)[1..^1]];
        Assert.Equal(["method", "length", "KV %", "attr", "json", "all", "vs full", "95 % interval"], Cells(lines[0])[..8]);
        var lossy = Cells(lines[2]);
        var (attr, json) = (records.Single(r => r is { Method: "lossy", Task: "attr", Length: 1024 }), records.Single(r => r is { Method: "lossy", Task: "json", Length: 1024 }));
        string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture);
        Assert.Equal(["lossy", "1024", "25.0", Percent(attr.Accuracy), Percent(json.Accuracy), Percent((attr.Correct + json.Correct) / 80)], lossy[..6]);
    }

    [Fact]
    public void ATableThatIsTooWideBecomesSeveralThatSayTheSame()
    {
        var journal = new EvaluationJournal();
        var records = new EvaluationRunner(Plan, journal, Words, Open).Run();
        string[][] Columns(string table) => [.. table.Split("\n\n").SelectMany(block =>
        {
            var rows = block.TrimEnd('\n').Split('\n').Select(l => l.Split('|', StringSplitOptions.TrimEntries)[1..^1]).ToArray();
            Assert.Equal(["method", "length"], rows[0][..2]);
            return Enumerable.Range(2, rows[0].Length - 2).Select(c => rows.Where((_, r) => r != 1).Select(r => r[c]).ToArray());
        })];

        var narrow = EvaluationTable.Markdown(Plan, journal, records, 60);

        Assert.All(narrow.Split('\n'), line => Assert.InRange(line.Length, 0, 60));
        Assert.Equal(Columns(EvaluationTable.Markdown(Plan, journal, records)), Columns(narrow));
    }

    [Fact]
    public void UnknownTasksAndLengthsThatDoNotFitAreRefusedBeforeAnythingRuns()
    {
        var error = Assert.Throws<EvaluationException>(
            () => new EvaluationRunner(Plan with { Tasks = ["attr", "poetry"] }, new EvaluationJournal(), Words, Open).Run());
        Assert.Contains("poetry", error.Message, StringComparison.Ordinal);
        var target = Open("full");
        Assert.Throws<EvaluationException>(
            () => new EvaluationRunner(Plan with { Lengths = [1024, 200_000] }, new EvaluationJournal(), Words, _ => target).Run());
        Assert.Equal(0, target.Starts);
    }

    [Fact]
    public void ADamagedJournalNamesItsLine()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "nonsense\n{}\n");
            Assert.Contains("line 1", Assert.Throws<EvaluationException>(() => new EvaluationJournal(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static RecallTarget Open(string method)
    {
        var tokenizer = Words;
        var documents = new EvaluationDocuments(Plan, tokenizer);
        var answers = Plan.Tasks.SelectMany(t => documents.Of(t, 1024)).SelectMany(d => d.Questions)
            .DistinctBy(q => tokenizer.Decode(q.Turn)).ToDictionary(q => tokenizer.Decode(q.Turn), q => q.References[0], StringComparer.Ordinal);
        return new RecallTarget(method, tokenizer, answers, method == "full" ? 0 : 0.3);
    }

    private sealed class SynchronousProgress(Action<EvaluationProgress> report) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value) => report(value);
    }
}
