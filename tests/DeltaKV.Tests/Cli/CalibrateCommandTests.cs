using System.Text.Json;
using DeltaKV.Cli;
using DeltaKV.Compression.DeltaKv;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Cli;

public sealed class CalibrateCommandTests
{
    [Fact]
    public async Task ACodecIsMadeAndSaysWhatItIs()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.File("codec.safetensors");
        var run = await CommandRun.OfAsync(
            "calibrate", "--device", "cpu", "--model", TestModels.Needle, "--documents", "1", "--lengths", "512", "--questions", "2",
            "--leave-out", "json,var,multi,walk", "--bytes", "20", "--at", "2048", "--observers", "2+5", "--out", file);

        Assert.Equal((ExitCode.Success, ""), (run.ExitCode, run.ExitCode == 0 ? "" : run.Error));
        Assert.Contains("families left out: json, var, multi, walk", run.Output, StringComparison.Ordinal);
        Assert.Contains("2/2", run.Error, StringComparison.Ordinal);
        Assert.Equal([file], Directory.GetFiles(directory.Path));
        var codec = CodecFile.Load(file);
        Assert.InRange(CodecSize.Usage(codec, 2048).Ratio, 0.18, 0.2);
        Assert.Equal([2, 5], Enumerable.Range(0, 8).Where(layer => codec.Layers[layer].Observes));

        var info = await CommandRun.OfAsync("info", "--codec", file, "--model", TestModels.Needle);
        Assert.Equal(run.Output, info.Output);
        var json = await CommandRun.OfAsync("info", "--codec", file, "--json");
        using var parsed = JsonDocument.Parse(json.Output);
        Assert.Equal(8, parsed.RootElement.GetProperty("layers").GetArrayLength());
        Assert.Equal("recomputed", parsed.RootElement.GetProperty("layers")[0].GetProperty("treatment").GetString());
    }

    [Theory]
    [InlineData("swiglu", "linear", "swiglu of 32 features, 32 latents of 4 bits, 4 references")]
    [InlineData("gelu", "mlp", "gelu of 32 features in encoder and decoder, 32 latents of 4 bits, 4 references")]
    public async Task A_codec_is_trained_and_says_what_it_misses_beside_principal_components(string kind, string decoder, string described)
    {
        using var directory = new TemporaryDirectory();
        var file = directory.File("codec.safetensors");
        var run = await CommandRun.OfAsync(
            "calibrate", "--device", "cpu", "--model", TestModels.Needle, "--documents", "1", "--lengths", "512", "--questions", "2", "--leave-out", "json,var,multi,walk",
            "--codec", kind, "--decoder", decoder, "--latents", "32", "--intermediate", "32", "--steps", "4", "--batch-rows", "64", "--rows", "256", "--full-layers", "0+1+2+3+4", "--out", file);

        Assert.Equal((ExitCode.Success, ""), (run.ExitCode, run.ExitCode == 0 ? "" : run.Error));
        Assert.Contains("pca int4", run.Output, StringComparison.Ordinal);
        Assert.Contains(described, run.Output, StringComparison.Ordinal);
        var codec = CodecFile.Load(file);
        Assert.Equal([LayerTreatment.Raw, LayerTreatment.Coded], codec.Layers.Skip(4).Take(2).Select(layer => layer.Treatment));
        Assert.True(codec.Layers[4].Observes);
        Assert.Equal((32, decoder == "mlp"), (codec.Layers[7].Codec!.FeatureCount, codec.Layers[7].Codec!.HasHiddenDecoder));
        var answer = await CommandRun.OfAsync("generate", "--device", "cpu", "--model", TestModels.Needle, "--kv", $"deltakv:codec={file}", "--max-tokens", "2", "--prompt", "x");
        Assert.Equal((ExitCode.Success, ""), (answer.ExitCode, answer.ExitCode == 0 ? "" : answer.Error));
    }

    [Fact]
    public async Task AnInterruptedReadingGoesOnWhereItStopped()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.File("codec.safetensors");
        string[] arguments =
        [
            "calibrate", "--device", "cpu", "--model", TestModels.Needle, "--documents", "3", "--lengths", "512", "--questions", "1",
            "--leave-out", "json,var,multi,walk,copy", "--bytes", "30", "--out", file,
        ];

        var run = await CommandRun.InterruptedAsync("1/3", "", isTyped: true, arguments);
        var kept = Directory.GetFiles(directory.Path);
        var again = await CommandRun.OfAsync(arguments);

        Assert.Equal((ExitCode.Cancelled, ExitCode.Success), (run.ExitCode, again.ExitCode));
        Assert.Equal([file + ".statistics"], kept);
        Assert.Contains($"{kept[0]} keeps what was read", run.Error, StringComparison.Ordinal);
        Assert.Contains("going on where it stopped", again.Error, StringComparison.Ordinal);
        Assert.Equal([file], Directory.GetFiles(directory.Path));
    }

    [Fact]
    public async Task OneReadingServesSeveralCodecs()
    {
        using var directory = new TemporaryDirectory();
        string[] arguments =
        [
            "calibrate", "--device", "cpu", "--model", TestModels.Needle, "--documents", "1", "--lengths", "512", "--questions", "1",
            "--leave-out", "json,var,multi,walk,copy", "--statistics", directory.File("read"),
        ];
        var first = await CommandRun.OfAsync([.. arguments, "--bytes", "30", "--out", directory.File("a")]);
        var second = await CommandRun.OfAsync([.. arguments, "--bits", "1280", "--references", "all", "--recent", "32", "--out", directory.File("b")]);
        var third = await CommandRun.OfAsync([.. arguments, "--codec", "int4", "--heads", "table:20", "--out", directory.File("c")]);
        Assert.Equal((0, 0, 0), (first.ExitCode, second.ExitCode, third.ExitCode));
        var table = HeadTable.Of(CodecFile.Load(directory.File("c"))).ToString();
        Assert.StartsWith("cccc/", table, StringComparison.Ordinal);
        Assert.Contains('w', table);
        Assert.Contains($"heads       {table} (", third.Output, StringComparison.Ordinal);
        Assert.Contains("going on where it stopped", second.Error, StringComparison.Ordinal);
        Assert.Equal(4, CodecFile.Load(directory.File("b")).Layers[7].Codec!.Neighbours);
        Assert.True(File.Exists(directory.File("read")));
    }

    [Theory]
    [InlineData("info", "--codec")]
    [InlineData("generate", "--kv")]
    public async Task ACodecOfAnotherModelIsRefusedWithBothSidesNamed(string command, string option)
    {
        using var directory = new TemporaryDirectory();
        var file = directory.File("other.safetensors");
        CodecFile.Save(
            new DeltaKvCodec { Model = new ModelFingerprint("Llama", 2, 3, 96, "feed"), Layers = [new CodecLayer(LayerTreatment.Raw), new CodecLayer(LayerTreatment.Raw)] }, file);
        string[] rest = command == "info" ? [] : ["--device", "cpu", "--prompt", "x"];
        var run = await CommandRun.OfAsync([command, "--model", TestModels.Needle, option, command == "info" ? file : $"deltakv:codec={file}", .. rest]);

        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.Contains("2 layers, 3 KV heads of 96", run.Error, StringComparison.Ordinal);
        Assert.Contains("8 layers, 4 KV heads of 64", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATableOfAnotherModelIsRefusedBeforeAnythingIsRead()
    {
        var run = await CommandRun.OfAsync("calibrate", "--device", "cpu", "--model", TestModels.Needle, "--out", Path.Combine(Path.GetTempPath(), "unused"), "--heads", "cccc/wwcw");
        Assert.Equal(ExitCode.Failure, run.ExitCode);
        Assert.Contains("2 layers of 4 heads; the model has 8 of 4", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--leave-out", "poems", "poems")]
    [InlineData("--bytes", "0", "0 %")]
    [InlineData("--codec", "magic", "magic")]
    [InlineData("--observers", "some", "--observers")]
    [InlineData("--observers", "9", "layer 9")]
    [InlineData("--latent-bits", "3", "--latent-bits")]
    [InlineData("--lengths", "12", "12")]
    [InlineData("--steps", "0", "0 steps", "--codec", "gelu")]
    [InlineData("--decoder", "relu", "linear and mlp", "--codec", "gelu")]
    [InlineData("--full-layers", "auto", "--full-layers auto", "--codec", "gelu")]
    [InlineData("--bits", "256", "--codec swiglu", "--codec", "swiglu")]
    [InlineData("--bytes", "6", "from --heads", "--codec", "int4")]
    [InlineData("--heads", "some", "'some'")]
    [InlineData("--heads", "table", "one encoder for all heads", "--codec", "gelu")]
    [InlineData("--references", "all", "int4", "--codec", "int4")]
    public async Task WhatMakesNoSenseIsRefused(string option, string value, string named, params string[] more)
    {
        var run = await CommandRun.OfAsync(["calibrate", "--device", "cpu", "--model", TestModels.Needle, "--out", Path.Combine(Path.GetTempPath(), "unused"), option, value, .. more]);
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(named, run.Error, StringComparison.Ordinal);
    }
}
