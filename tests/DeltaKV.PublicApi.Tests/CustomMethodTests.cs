using System.Reflection;
using System.Text;
using DeltaKV.Compression.Eviction;
using DeltaKV.Engine;

namespace DeltaKV.PublicApi.Tests;

/// <summary>A method written against the public API runs in the engine like those that come with it.</summary>
public sealed class CustomMethodTests
{
    private const string Code = "silver-41";
    private static readonly string Model = Path.Combine(
        typeof(CustomMethodTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "RepositoryRoot").Value!, "models", "needle-16m");

    static CustomMethodTests() => EvictionPolicies.Register("rare-tokens", (spec, _) => RareTokensPolicy.Create(spec));

    [Fact]
    public async Task Half_of_the_memory_is_enough()
    {
        var full = await AnswerAsync("full");
        var custom = await AnswerAsync("rare-tokens:share=50");
        Assert.InRange(full.Statistics.Kv.Ratio, 1, 1.2);
        Assert.InRange(custom.Statistics.Kv.Ratio, 0.45, 0.7);
        Assert.Equal(full.Text, custom.Text);
    }

    [Fact]
    public async Task A_budget_of_at_least_the_length_changes_nothing()
    {
        var full = await AnswerAsync("full");
        var custom = await AnswerAsync("rare-tokens:share=100");
        Assert.Equal(full.TokenIds.AsEnumerable(), custom.TokenIds);
    }

    [Fact]
    public async Task Several_requests_run_at_once()
    {
        await using var engine = await LoadAsync("rare-tokens:share=40,weight=1");
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => engine.CompleteAsync(Prompt(i), new SamplingOptions { MaxTokens = 12 })));
        Assert.All(answers, answer => Assert.InRange(answer.Statistics.Kv.Ratio, 0.35, 0.65));
    }

    [Theory]
    [InlineData("snapkv", "already")]
    [InlineData("full", "already")]
    [InlineData("rare-tokens", "already")]
    [InlineData("Mine", "lower case")]
    [InlineData("a+b", "lower case")]
    public void A_name_that_is_taken_or_none_is_refused(string name, string message)
    {
        var error = Assert.Throws<ArgumentException>(() => EvictionPolicies.Register(name, (spec, _) => RareTokensPolicy.Create(spec)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_setting_is_refused_by_name()
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => LoadAsync("rare-tokens:shares=50"));
        Assert.Contains("'shares'", error.Message, StringComparison.Ordinal);
    }

    private static async Task<GenerationResult> AnswerAsync(string method)
    {
        await using var engine = await LoadAsync(method);
        return await engine.CompleteAsync(Prompt(0), new SamplingOptions { MaxTokens = 12 });
    }

    private static Task<LlmEngine> LoadAsync(string method) => LlmEngine.LoadAsync(
        Model, new EngineOptions { Device = ComputeDevice.Cpu, KvMethod = method, MaxModelLength = 1024, MaxSequences = 4, MaxBatchTokens = 256 });

    /// <summary>Notes with filler around the one that is asked for.</summary>
    private static string Prompt(int seed)
    {
        var text = new StringBuilder("<|user|>");
        for (var i = 0; i < 12; i++)
        {
            text.Append("The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again. ");
            if (i == 5 + seed)
                text.Append("The code of the amber gate is ").Append(Code).Append(". ");
        }

        return text.Append("What is the code of the amber gate?<|end|><|assistant|>").ToString();
    }
}
