using DeltaKV.Cli;
using DeltaKV.Compression.CompressKv;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Cli;

public sealed class CalibrateCompressKvTests
{
    [Fact]
    public async Task HeadsAndLayersOfNeedleAreFoundAndWritten()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.File("heads.json");
        var run = await CommandRun.OfAsync(
            "calibrate", "--method", "compresskv", "--device", "cpu", "--model", TestModels.Needle, "--kinds", "attr", "--lengths", "512", "--out", file);

        Assert.Equal((ExitCode.Success, ""), (run.ExitCode, run.ExitCode == 0 ? "" : run.Error));
        Assert.Contains("of 5 prompts answered: attr at 512 tokens", run.Output, StringComparison.Ordinal);
        Assert.All(run.Output.Split('\n').Skip(2), line => Assert.InRange(line.Length, 0, 100));
        var profile = CompressKvProfile.Load(file);
        Assert.All(profile.Layers, layer => Assert.Equal(2, layer.Heads.Count));
        // Where this model looks things up, as the shipped profile says too.
        Assert.True(profile.Layers[5].Scores.Max() > 3 * profile.Layers[1].Scores.Max());
        Assert.Equal(8 * 128, profile.Budgets(128).Sum());
    }

    [Theory]
    [InlineData("--kinds belongs", "calibrate", "--kinds", "attr")]
    [InlineData("riddle", "calibrate", "--method", "compresskv", "--kinds", "riddle")]
    [InlineData("--observers", "calibrate", "--method", "compresskv", "--observers", "2")]
    public async Task WhatMakesNoSenseIsRefused(string named, params string[] arguments)
    {
        var run = await CommandRun.OfAsync([.. arguments, "--model", TestModels.Needle]);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(named.Split(' ')[0], run.Error, StringComparison.Ordinal);
    }
}
