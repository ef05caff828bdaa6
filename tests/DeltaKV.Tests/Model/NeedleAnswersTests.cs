using System.Diagnostics;
using DeltaKV.Engine;
using DeltaKV.Tests.Support;
using Xunit.Abstractions;

namespace DeltaKV.Tests.Model;

/// <summary>needle-16m answers long prompts as Transformers does: all 64 on a GPU, the shortest ones on the CPU.</summary>
public sealed class NeedleAnswersTests(ITestOutputHelper output)
{
    /// <summary>
    /// Sums of float32 in another order move these logits by thousandths (all 773 margins are larger): in full precision every answer is Transformers' own.
    /// </summary>
    private const float FullPrecisionRounding = 0.005f;

    /// <summary>
    /// Logits from 16 to 32, as the best ones are here, lie 1/8 apart in bf16, so rounding each once moves two of them by up to that towards each other;
    /// hidden states, rounded after every operation of eight layers, bring as much again. Where Transformers' best two (float32) are closer, the
    /// answer may go on differently; six of 773 tokens are.
    /// </summary>
    private const float BFloat16Rounding = 0.25f;

    [Theory]
    [InlineData(ModelPrecision.BFloat16, BFloat16Rounding)]
    [InlineData(ModelPrecision.FullPrecision, FullPrecisionRounding)]
    public async Task AnswersAreThoseOfTransformers(ModelPrecision precision, float rounding)
    {
        var answers = NeedleAnswer.Load();
        Assert.Equal(64, answers.Count);
        var tried = TestAccelerators.UseCuda ? answers : [.. answers.OrderBy(answer => answer.Prompt.Length).Take(precision == ModelPrecision.FullPrecision ? 1 : 4)];
        var options = DeviceEngine.OnDevice(new EngineOptions
        {
            MaxSequences = 8, MaxBatchTokens = 1024, KvCacheBytes = 512 << 20, KvMethod = "full", Precision = precision,
        });
        await using var engine = await LlmEngine.LoadAsync(TestModels.Needle, options);
        var clock = Stopwatch.StartNew();
        var results = await Task.WhenAll(tried.Select(answer => engine.CompleteAsync(answer.Prompt, SamplingOptions.Greedy with { MaxTokens = 24 })));

        var faults = tried.Zip(results, (expected, actual) => Difference(expected, actual, rounding)).OfType<string>().ToList();
        output.WriteLine($"{tried.Sum(answer => answer.Prompt.Length)} tokens of prompts, {results.Sum(r => r.TokenIds.Length)} of answers, {clock.Elapsed.TotalSeconds:f1} s");
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    /// <summary>How an answer differs by more than rounding explains; null if it does not.</summary>
    private string? Difference(NeedleAnswer expected, GenerationResult actual, float rounding)
    {
        var agreeing = expected.Tokens.AsSpan().CommonPrefixLength(actual.TokenIds.AsSpan());
        if (agreeing == expected.Tokens.Length && agreeing == actual.TokenIds.Length)
            return null;
        var margin = agreeing < expected.Tokens.Length ? expected.Margins[agreeing] : float.PositiveInfinity;
        output.WriteLine($"prompt {expected.Number} differs from token {agreeing} on, where the best two are {margin:g3} apart");
        return margin <= rounding
            ? null
            : $"prompt {expected.Number}: answer {string.Join(' ', actual.TokenIds)}, Transformers {string.Join(' ', expected.Tokens)}; "
            + $"they part at token {agreeing}, where the best two logits are {margin:g3} apart, more than rounding ({rounding})";
    }
}
