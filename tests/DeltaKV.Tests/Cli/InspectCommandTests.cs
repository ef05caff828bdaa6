using System.Text.Json;
using System.Xml.Linq;
using DeltaKV.Cli;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Cli;

public sealed class InspectCommandTests
{
    [Fact]
    public async Task ATextIsDescribedAsTablePageAndJson()
    {
        using var directory = new TemporaryDirectory();
        var text = directory.Write("text.txt", string.Join('\n', FillerText.Evaluation.Take(9)));
        var (page, json) = (directory.File("page.html"), directory.File("report.json"));

        var run = await CommandRun.OfAsync(
            "inspect", "--device", "cpu", "--model", TestModels.Needle, "--text", text, "--length", "512", "--html", page, "--json", json);

        Assert.Equal((ExitCode.Success, "needle-16m"), (run.ExitCode, run.Output.Split(' ')[0]));
        Assert.Contains("text.txt", run.Output, StringComparison.Ordinal);
        Assert.All(run.Output.Split('\n'), line => Assert.InRange(line.Length, 0, 100));
        using var report = JsonDocument.Parse(await File.ReadAllTextAsync(json));
        Assert.Equal(8, report.RootElement.GetProperty("layers").GetArrayLength());
        Assert.Equal(256, report.RootElement.GetProperty("layers")[3].GetProperty("keys").GetProperty("rms").GetArrayLength());
        Assert.Equal(8, report.RootElement.GetProperty("retrieval").GetProperty("layers").GetArrayLength());

        var html = await File.ReadAllTextAsync(page);
        var document = XDocument.Parse(html[html.IndexOf("<html", StringComparison.Ordinal)..]);
        Assert.DoesNotContain("http", html, StringComparison.Ordinal);
        Assert.All(document.Descendants().Attributes(), a => Assert.DoesNotContain("NaN", a.Value, StringComparison.Ordinal));
        foreach (var heading in new[] { "Lengths", "Channels", "Spectrum", "References or the mean", "Semantic retrieval heads", "Layer budgets", "Which layer may choose for which" })
            Assert.Single(document.Descendants("h2"), h => h.Value == heading);
    }

    [Theory]
    [InlineData("--length", "100", "--length is 100")]
    [InlineData("--neighbours", "0", "--neighbours is 0")]
    public async Task WhatMakesNoSenseIsRefused(string option, string value, string message)
    {
        var run = await CommandRun.OfAsync("inspect", "--device", "cpu", "--model", TestModels.Needle, option, value);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HeadsOfAnotherModelAreRefused()
    {
        using var directory = new TemporaryDirectory();
        var own = await File.ReadAllTextAsync(Path.Combine(TestModels.Needle, "compresskv.json"));
        var other = directory.Write("other.json", own.Replace("\"weights\": \"", "\"weights\": \"00", StringComparison.Ordinal));
        var text = directory.Write("text.txt", FillerText.Evaluation[0]);
        var run = await CommandRun.OfAsync("inspect", "--device", "cpu", "--model", TestModels.Needle, "--text", text, "--length", "512", "--profile", other);
        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.Contains("calibrate --method compresskv", run.Error, StringComparison.Ordinal);
    }
}
