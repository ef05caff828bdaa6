using System.Text.Json;
using DeltaKV.Cli;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Cli;

public sealed class GenerateCommandTests
{
    private const string Notes = "The access code of the amber falcon is 48213.";
    private const string Question = "What is the access code of the amber falcon?";

    [Fact]
    public async Task AnswersAboutADocumentOnStdoutAndSaysWhatItTookOnStderr()
    {
        using var directory = new TemporaryDirectory();
        var document = directory.Write("notes.txt", Notes);

        var run = await CommandRun.OfAsync("generate", "--device", "cpu", "--model", TestModels.Needle, "--document", document, "--prompt", Question);

        Assert.Equal(ExitCode.Success, run.ExitCode);
        Assert.Equal("48213", run.Output.Trim());
        Assert.Contains("KV cache", run.Error, StringComparison.Ordinal);
        Assert.Contains("| stop |", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JsonTakesThePlaceOfText()
    {
        string[] arguments = ["generate", "--device", "cpu", "--model", TestModels.Needle, "--raw", "--max-tokens", "3", "--ignore-eos", "--json"];

        var run = await CommandRun.WithInputAsync("System.Collections.Generic\n", arguments);

        using var json = JsonDocument.Parse(run.Output);
        Assert.Equal(3, json.RootElement.GetProperty("outputTokens").GetInt32());
        Assert.Equal("length", json.RootElement.GetProperty("finishReason").GetString());
        Assert.Equal("needle-16m", json.RootElement.GetProperty("model").GetString());
        Assert.True(json.RootElement.GetProperty("kvBytes").GetInt64() > 0);
    }

    [Theory]
    [InlineData("workspace", "")]
    [InlineData("48213", "48213")]
    public async Task CtrlCEndsItWithItsOwnCodeWhateverItWasDoing(string at, string answered)
    {
        var run = await CommandRun.InterruptedAsync(
            at, "", isTyped: true, "generate", "--device", "cpu", "--model", TestModels.Needle, "--prompt", $"{Notes}\n{Question}", "--ignore-eos", "--max-tokens", "64");

        Assert.Equal(ExitCode.Cancelled, run.ExitCode);
        Assert.StartsWith(answered, run.Output.Trim(), StringComparison.Ordinal);
        Assert.DoesNotContain("[in ", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("deltakv: interrupted.", run.Error.TrimEnd(), StringComparison.Ordinal);
    }
}
