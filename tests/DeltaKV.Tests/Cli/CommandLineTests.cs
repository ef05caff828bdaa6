using DeltaKV.Cli;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Cli;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("chat")]
    [InlineData("generate")]
    [InlineData("info")]
    [InlineData("bench")]
    [InlineData("eval")]
    public async Task HelpNamesTheCommandAndItsOptions(string command)
    {
        var all = await CommandRun.OfAsync("--help");
        var one = await CommandRun.OfAsync(command, "--help");

        Assert.Equal((ExitCode.Success, ExitCode.Success), (all.ExitCode, one.ExitCode));
        Assert.Contains(command, all.Output, StringComparison.Ordinal);
        Assert.Contains($"deltakv {command} [options]", one.Output, StringComparison.Ordinal);
        Assert.Contains("--json", one.Output, StringComparison.Ordinal);
        Assert.Contains("--device", one.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "Required command")]
    [InlineData("sing", "'sing'")]
    [InlineData("generate --frobnicate", "'--frobnicate'")]
    [InlineData("generate -p x --device abacus", "'abacus'")]
    [InlineData("generate -p x --max-tokens many", "--max-tokens is 'many', expected a whole number.")]
    [InlineData("generate -p x --temperature hot", "--temperature is 'hot', expected a number.")]
    [InlineData("generate -p x --max-tokens 0", "--max-tokens is 0, expected at least 1.")]
    [InlineData("generate -p x --temperature -1", "--temperature is -1")]
    [InlineData("generate -p x --memory 2", "--memory is 2")]
    [InlineData("generate -p x --prompt-file y", "--prompt and --prompt-file")]
    [InlineData("generate", "There is no prompt")]
    [InlineData("generate -p x --context 99999", "--context is 99999")]
    [InlineData("bench --shape elephant", "llama-3.1-8b")]
    [InlineData("bench --shape tiny --context 4096", "'--context'")]
    [InlineData("bench --shape tiny --model .", "--shape and --model")]
    [InlineData("bench --shape tiny --device cpu --decode 1024", "'1024' is no size")]
    [InlineData("bench --shape tiny --device cpu --decode 8x", "'8x' is no size")]
    [InlineData("bench --shape tiny --device cpu --decode 0x64", "'0' is no length")]
    [InlineData("bench --shape tiny --device cpu --prefill 8q", "'8q' is no length")]
    [InlineData("bench --shape tiny --device cpu --samples 0", "--samples is 0")]
    [InlineData("bench --shape tiny --device cpu --kv origami", "there are: auto, full")]
    [InlineData("eval --task poetry", "The tasks are: attr")]
    [InlineData("eval --method origami --device cpu", "there are: auto, full")]
    [InlineData("eval --method int4:folds=3 --device cpu", "no setting 'folds'")]
    [InlineData("eval --method a=int4 --method a=int8", "the same name")]
    [InlineData("eval --method small=", "--method is empty")]
    [InlineData("eval --html .", "is a directory")]
    [InlineData("eval --length 4q", "'4q' is no length")]
    [InlineData("eval --length 64", "too short")]
    [InlineData("eval --questions 0", "0 questions")]
    [InlineData("eval --parallel 0 --device cpu", "--parallel is 0")]
    [InlineData("eval --setting sideways", "'sideways'")]
    [InlineData("calibrate --device cpu", "replace the codec.safetensors that needle-16m comes with")]
    [InlineData("calibrate --method compresskv --device cpu", "replace the compresskv.json")]
    [InlineData("info --sequences 0", "--sequences is 0")]
    [InlineData("eval --text-tokens -2", "-2 tokens of plain text")]
    [InlineData("inspect --length 99999 --device cpu", "--length is 99999: with questions")]
    [InlineData("calibrate --out x.codec --lengths 99999 --device cpu", "--lengths is 99999: with questions")]
    [InlineData("calibrate --out x.codec --method compresskv --lengths 99999 --device cpu", "--lengths is 99999: with questions")]
    [InlineData("calibrate --out x.codec --bits 0 --device cpu", "--bits is 0")]
    [InlineData("calibrate --out x.codec --codec pca --latents 3 --device cpu", "3 latents of 4 bits do not fill chunks of 32")]
    public async Task AWrongCommandLineIsExplained(string arguments, string expected)
    {
        var run = await CommandRun.OfAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Empty(run.Output);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.StartsWith("deltakv: ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("info --model nowhere", "'nowhere'")]
    [InlineData("bench --model nowhere", "'nowhere'")]
    [InlineData("calibrate --model nowhere", "'nowhere'")]
    [InlineData("inspect --model nowhere", "'nowhere'")]
    [InlineData("info --codec nowhere", "nowhere cannot be read as a codec")]
    [InlineData("generate -p x --model nowhere", "'nowhere'")]
    [InlineData("generate -p x --document nowhere.txt", "There is no file 'nowhere.txt'")]
    [InlineData("generate -p x --document .", "'.' is a directory, expected a text file")]
    [InlineData("bench --shape llama-3.1-8b --device cpu --decode 1000x131072", "decode 1000x131072 needs")]
    [InlineData("eval --model nowhere", "'nowhere'")]
    [InlineData("eval --text nowhere.txt", "nowhere.txt")]
    [InlineData("eval --length 64k --device cpu", "16384 positions")]
    public async Task WhatCannotBeDoneIsExplained(string arguments, string expected)
    {
        var run = await CommandRun.OfAsync(arguments.Split(' '));

        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.Empty(run.Output);
        Assert.StartsWith("deltakv: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.False(Path.Exists("nowhere"));
    }

    [Theory]
    [InlineData("info", "Sequences to plan for. Default: 32.")]
    [InlineData("calibrate", "Default: klt.")]
    [InlineData("generate", "kvzip")]
    public async Task HelpSaysDefaultsOnceAndNamesEveryMethod(string command, string expected)
    {
        var run = await CommandRun.OfAsync(command, "--help");

        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("[default", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADirectoryWithoutAModelIsRefused()
    {
        using var directory = new TemporaryDirectory();

        var run = await CommandRun.OfAsync("info", "--model", directory.Path);

        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.Contains("config.json: does not exist, so this is no Hugging Face model directory", run.Error, StringComparison.Ordinal);
    }
}
