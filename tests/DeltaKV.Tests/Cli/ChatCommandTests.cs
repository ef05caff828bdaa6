using System.Text.Json;
using DeltaKV.Cli;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Cli;

public sealed class ChatCommandTests
{
    [Fact]
    public async Task AnswersLineByLineAndObeysCommands()
    {
        using var directory = new TemporaryDirectory();
        var document = directory.Write("notes.txt", "The access code of the amber falcon is 48213.\nThe keeper of the silver mill is Brolan.");
        var input = $"""
            /stats
            /dance
            /doc
            /doc {directory.File("missing.txt")}
            /doc {document}
            What is the access code of the amber falcon?
            Who is the keeper of the silver mill?
            /reset
            /exit
            never asked
            """;

        var run = await CommandRun.WithInputAsync(input, "chat", "--device", "cpu", "--model", TestModels.Needle, "--max-tokens", "12", "--json");

        Assert.Equal(ExitCode.Success, run.ExitCode);
        var answers = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(2, answers.Count);
        Assert.Equal("48213", answers[0].GetProperty("text").GetString()!.Trim());
        Assert.True(answers[1].GetProperty("promptTokens").GetInt32() > answers[0].GetProperty("promptTokens").GetInt32());
        Assert.Contains("Nothing has been asked yet", run.Error, StringComparison.Ordinal);
        Assert.Contains("'/dance' is no command", run.Error, StringComparison.Ordinal);
        Assert.Contains("There is no file", run.Error, StringComparison.Ordinal);
        Assert.Contains("/doc needs a file", run.Error, StringComparison.Ordinal);
        Assert.Contains("A new conversation begins.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatTheContextDoesNotHoldIsExplainedAndTheConversationGoesOn()
    {
        var tooLong = string.Concat(Enumerable.Repeat("The keeper of the silver mill is Brolan. ", 20));
        var input = $"{tooLong}\nThe keeper of the silver mill is Brolan. Who is the keeper of the silver mill?\n";

        var run = await CommandRun.WithInputAsync(input, "chat", "--device", "cpu", "--model", TestModels.Needle, "--context", "64");

        Assert.Equal((ExitCode.Success, "Brolan"), (run.ExitCode, run.Output.Trim()));
        Assert.Contains("larger --context or more memory. /reset begins a new conversation.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CtrlCStopsTheAnswerAndTheConversationGoesOn()
    {
        using var directory = new TemporaryDirectory();
        var document = directory.Write("notes.txt", "The access code of the amber falcon is 48213.\nThe keeper of the silver mill is Brolan.");
        var typed = $"/doc {document}\nWho is the keeper of the silver mill?\nWhat is the access code of the amber falcon?\n";

        var run = await CommandRun.InterruptedAsync("Brolan", typed, isTyped: true, "chat", "--device", "cpu", "--model", TestModels.Needle, "--ignore-eos", "--max-tokens", "12");

        Assert.Equal(ExitCode.Success, run.ExitCode);
        Assert.Contains("[stopped: ", run.Error, StringComparison.Ordinal);
        // The document went with the question that was stopped, and is still in front of the next.
        Assert.Contains("Brolan", run.Output, StringComparison.Ordinal);
        Assert.Contains("48213", run.Output, StringComparison.Ordinal);
        Assert.Single(run.Error.Split("[in ").Skip(1));
    }

    [Fact]
    public async Task CtrlCStopsPipedInputAltogether()
    {
        var run = await CommandRun.InterruptedAsync("[in ", "Hello?\nHello?\n", isTyped: false, "chat", "--device", "cpu", "--model", TestModels.Needle, "--max-tokens", "4");

        Assert.Equal(ExitCode.Cancelled, run.ExitCode);
        Assert.Contains("deltakv: interrupted.", run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Split("[in ").Skip(1));
    }
}
