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
    public async Task AnInterruptedRunGoesOnWhereItStopped()
    {
        using var directory = new TemporaryDirectory();
        string[] arguments =
        [
            "eval", "--model", TestModels.Needle, "--device", "cpu", "--task", "attr", "--length", "320", "--questions", "4", "--per-document", "1", "--text-tokens", "0",
            "--journal", directory.File("journal"),
        ];

        var run = await CommandRun.InterruptedAsync("1/4", "", isTyped: true, arguments);
        var kept = await File.ReadAllLinesAsync(directory.File("journal"));
        var again = await CommandRun.OfAsync(arguments);

        Assert.Equal((ExitCode.Cancelled, ExitCode.Success), (run.ExitCode, again.ExitCode));
        Assert.Empty(run.Output);
        Assert.InRange(kept.Length, 1, 3);
        Assert.Contains($"keeps what is done ({kept.Length} documents); the same command goes on from there.", run.Error, StringComparison.Ordinal);
        Assert.Equal(kept, (await File.ReadAllLinesAsync(directory.File("journal")))[..kept.Length]);
        Assert.DoesNotContain("1/4", again.Error, StringComparison.Ordinal);
    }
}
