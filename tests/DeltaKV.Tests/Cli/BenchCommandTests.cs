using System.Text.Json;
using DeltaKV.Cli;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Cli;

public sealed class BenchCommandTests
{
    [Fact]
    public async Task MeasuresARandomShape()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.File("bench.json");

        var run = await CommandRun.OfAsync(
            "bench", "--shape", "tiny", "--device", "cpu", "--decode", "1x130,3x64", "--prefill", "100", "--chunk", "64", "--samples", "2", "--prefill-samples", "1", "--json", file);

        Assert.Equal(ExitCode.Success, run.ExitCode);
        Assert.Contains("| 3 x 64 |", run.Output, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(file));
        var root = json.RootElement;
        Assert.True(root.GetProperty("copyGigabytesPerSecond").GetDouble() > 0);
        Assert.Empty(root.GetProperty("failures").EnumerateArray());
        var decode = root.GetProperty("decode");
        Assert.Equal(2, decode.GetArrayLength());

        // Head and layers, not the embedding; 512 bytes of keys and values for each of 130 tokens.
        const int layer = (2 * 128) + (256 * 128) + (128 * 128) + (3 * 256 * 128);
        const int weights = ((2 * layer) + 128 + (512 * 128)) * 2;
        Assert.Equal(weights + (130 * 512), decode[0].GetProperty("bytesPerStep").GetInt64());
        Assert.True(decode[0].GetProperty("msPerStep").GetDouble() > 0);
        // Three blocks of 64 tokens and their table.
        Assert.Equal((3 * 64 * 512) + (3 * sizeof(int)), decode[0].GetProperty("kvBytes").GetInt64());
        Assert.Equal(64, root.GetProperty("prefill")[0].GetProperty("chunk").GetInt32());
    }

    [Fact]
    public async Task WhatWasMeasuredBeforeAnInterruptIsReported()
    {
        string[] arguments = ["bench", "--shape", "tiny", "--device", "cpu", "--decode", "1x64,1x65,1x66,1x67", "--prefill", "none", "--samples", "9", "--json"];

        var run = await CommandRun.InterruptedAsync("decode 1x65", "", isTyped: true, arguments);

        Assert.Equal(ExitCode.Cancelled, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        var rows = json.RootElement.GetProperty("decode").GetArrayLength();
        Assert.InRange(rows, 1, 3);
        Assert.Contains($"{rows} of 4 sizes were measured", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MeasuresACompressedCacheAndWhatItHolds()
    {
        var run = await CommandRun.OfAsync(
            "bench", "--shape", "tiny", "--device", "cpu", "--kv", "int4:neighbours=2,search=exact", "--decode", "3x600", "--prefill", "200", "--chunk", "128", "--samples", "1", "--prefill-samples", "2", "--json");

        Assert.Equal(ExitCode.Success, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        Assert.Equal("int4:neighbours=2,search=exact", json.RootElement.GetProperty("kvMethod").GetString());
        var decode = json.RootElement.GetProperty("decode")[0];
        // Most of 600 tokens in a quarter of the bits, with references for every tenth; sinks, window and tables in full.
        Assert.InRange(decode.GetProperty("kvRatio").GetDouble(), 0.25, 0.6);
        Assert.True(json.RootElement.GetProperty("prefill")[0].GetProperty("ms").GetDouble() > 0);
    }

    [Theory]
    [InlineData("streaming-llm:budget=100")]
    [InlineData("snapkv:share=25")]
    [InlineData("pyramidkv:share=25")]
    [InlineData("h2o:share=25")]
    [InlineData("kvzip:share=25,chunk=256")]
    [InlineData("compresskv:budget=150")]
    public async Task MeasuresACacheThatEvicts(string method)
    {
        var run = await CommandRun.OfAsync(
            "bench", "--shape", "tiny", "--device", "cpu", "--kv", method, "--decode", "3x600", "--prefill", "200", "--chunk", "128", "--samples", "1", "--prefill-samples", "2", "--json");

        Assert.Equal(ExitCode.Success, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        Assert.Equal(0, json.RootElement.GetProperty("failures").GetArrayLength());
        Assert.InRange(json.RootElement.GetProperty("decode")[0].GetProperty("kvRatio").GetDouble(), 0.1, 0.42);
        Assert.True(json.RootElement.GetProperty("prefill")[0].GetProperty("ms").GetDouble() > 0);
    }

    [Fact]
    public async Task MeasuresAModelDirectory()
    {
        var run = await CommandRun.OfAsync(
            "bench", "--model", TestModels.Needle, "--device", "cpu", "--decode", "1x64", "--samples", "1", "--json");

        Assert.Equal(ExitCode.Success, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        Assert.False(json.RootElement.GetProperty("randomWeights").GetBoolean());
        Assert.Equal(64, json.RootElement.GetProperty("decode")[0].GetProperty("context").GetInt32());
        Assert.Equal(0, json.RootElement.GetProperty("prefill").GetArrayLength());
    }

    [Fact]
    public async Task MeasuresTheFormOfACodecWithoutAModelPartByPart()
    {
        var run = await CommandRun.OfAsync(
            "bench", "--shape", "tiny", "--device", "cpu", "--kv", "deltakv:codec=klt,bits=256,full=0,observers=0,top=64", "--decode", "2x400", "--samples", "1", "--profile", "--json");

        Assert.Equal(ExitCode.Success, run.ExitCode);
        using var json = JsonDocument.Parse(run.Output);
        var row = json.RootElement.GetProperty("decode")[0];
        // One of two layers stays raw.
        Assert.InRange(row.GetProperty("kvRatio").GetDouble(), 0.5, 0.85);
        var parts = row.GetProperty("parts").EnumerateArray().ToArray();
        Assert.Equal(
            ["matrix products, norms, sampling", "observers (attention, scores, selection)", "coded layers, selected tokens (reconstruction, attention)", "gaps less overlaps"],
            parts.Select(part => part.GetProperty("name").GetString()));
        Assert.Equal(row.GetProperty("msPerStep").GetDouble(), parts.Sum(part => part.GetProperty("ms").GetDouble()), 6);
    }

    [Theory]
    [InlineData("deltakv:codec=klt,bits=100", "128 bits")]
    [InlineData("deltakv:codec=wavelet", "klt, published")]
    [InlineData("deltakv:budget=3", "codec, bits")]
    public async Task RefusesCodecsThatDoNotExist(string method, string hint)
    {
        var run = await CommandRun.OfAsync("bench", "--shape", "tiny", "--device", "cpu", "--kv", method, "--decode", "1x64");

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains(hint, run.Error, StringComparison.Ordinal);
    }
}
