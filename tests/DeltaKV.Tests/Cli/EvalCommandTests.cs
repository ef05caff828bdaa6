using System.Text.Json;
using DeltaKV.Cli;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Cli;

public sealed class EvalCommandTests
{
    private static readonly string[] Fields =
    [
        "method", "task", "length", "setting", "seed", "questions", "correct", "accuracy", "kvBytes", "fullKvBytes", "ratio", "peakKvBytes", "ttftMs",
        "decodeTokensPerSecond", "klMean", "perplexity",
    ];

    [Fact]
    public async Task MeasuresMethodsBesideTheFullCacheAndGoesOnFromAJournal()
    {
        using var directory = new TemporaryDirectory();
        string[] arguments =
        [
            "eval", "--model", TestModels.Needle, "--device", "cpu", "--method", "small=int4:recent=32", "--task", "attr,copy", "--length", "320", "--questions", "2",
            "--setting", "both", "--text-tokens", "16", "--parallel", "2", "--seed", "9", "--json", directory.File("out.json"), "--html", directory.File("out.html"),
            "--journal", directory.File("journal"),
        ];

        var run = await CommandRun.OfAsync(arguments);
        var again = await CommandRun.OfAsync(arguments);

        Assert.Equal((ExitCode.Success, ExitCode.Success, ""), (run.ExitCode, again.ExitCode, again.Error));
        Assert.Equal(run.Output, again.Output);
        Assert.Contains("question-agnostic", run.Output, StringComparison.Ordinal);
        Assert.Contains("| small", run.Output, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(directory.File("out.json")));
        var rows = json.RootElement.EnumerateArray().ToArray();
        Assert.All(rows, row => Assert.Equal(Fields, row.EnumerateObject().Select(p => p.Name)));
        Assert.Equal(
            from setting in (string[])["agnostic", "aware"] from method in (string[])["full", "small"] from task in (string[])["attr", "copy"] select (setting, method, task, 320, 2),
            rows.Select(r => (r.GetProperty("setting").GetString()!, r.GetProperty("method").GetString()!, r.GetProperty("task").GetString()!, r.GetProperty("length").GetInt32(), r.GetProperty("questions").GetInt32())));
        Assert.All(rows.Where(r => r.GetProperty("method").GetString() == "full"), r => Assert.Equal(1, r.GetProperty("accuracy").GetDouble()));
        Assert.All(rows.Where(r => r.GetProperty("method").GetString() == "small"), r => Assert.InRange(r.GetProperty("ratio").GetDouble(), 0.3, 0.6));
        Assert.StartsWith("<!doctype html>", await File.ReadAllTextAsync(directory.File("out.html")), StringComparison.Ordinal);
        Assert.True(File.Exists(directory.File("out-aware.html")));
    }

    [Fact]
    public async Task AnInterruptedRunSaysWhereItWouldGoOn()
    {
        using var directory = new TemporaryDirectory();
        using var cancellation = new CancellationTokenSource();
        await cancellation.CancelAsync();

        var run = await CommandRun.WithInputAsync(
            null, ["eval", "--model", TestModels.Needle, "--device", "cpu", "--length", "320", "--text-tokens", "16", "--journal", directory.File("journal")], cancellation.Token);

        Assert.Equal(ExitCode.Cancelled, run.ExitCode);
        Assert.Contains("goes on from there", run.Error, StringComparison.Ordinal);
    }
}
