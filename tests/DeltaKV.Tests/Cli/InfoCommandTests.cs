using System.Text.Json;
using DeltaKV.Cli;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Cli;

public sealed class InfoCommandTests
{
    [Fact]
    public async Task TextSaysModelDeviceAndPlan()
    {
        var run = await CommandRun.OfAsync("info", "--device", "cpu", "--model", TestModels.Needle);

        Assert.Equal(ExitCode.Success, run.ExitCode);
        Assert.Contains("needle-16m (Llama), 15,735,168 parameters", run.Output, StringComparison.Ordinal);
        Assert.Contains("8,192 bytes per token", run.Output, StringComparison.Ordinal);
        Assert.Contains("CPU", run.Output, StringComparison.Ordinal);
        Assert.Contains("KV cache", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JsonSaysTheSame()
    {
        var run = await CommandRun.OfAsync("info", "--device", "cpu", "--model", TestModels.Needle, "--context", "4096", "--sequences", "2", "--json");

        using var json = JsonDocument.Parse(run.Output);
        var root = json.RootElement;
        Assert.Equal(15_735_168, root.GetProperty("model").GetProperty("parameters").GetInt64());
        Assert.Equal("llama", root.GetProperty("model").GetProperty("family").GetString());
        Assert.NotEmpty(root.GetProperty("devices").GetProperty("devices").EnumerateArray());
        Assert.Equal(4096, root.GetProperty("plan").GetProperty("maxModelLength").GetInt32());
        Assert.Equal(2 * 4096, root.GetProperty("plan").GetProperty("kvTokens").GetInt64());
    }
}
