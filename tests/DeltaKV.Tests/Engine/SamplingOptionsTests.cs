using System.Collections.Immutable;
using DeltaKV.Engine;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Engine;

public sealed class SamplingOptionsTests
{
    [Fact]
    public void TheDefaultsAreGreedyAndUnlimited()
    {
        var options = new SamplingOptions();
        Assert.True(options.IsGreedy);
        Assert.False(options.HasPenalties);
        Assert.Equal(SamplingOptions.Greedy, options);
        Assert.Null(options.MaxTokens);
    }

    [Fact]
    public void ValuesAtTheEdgesAreAccepted()
    {
        var options = new SamplingOptions
        {
            Temperature = 100, TopK = 0, TopP = 1, MinP = 1, RepetitionPenalty = 10, PresencePenalty = -2, FrequencyPenalty = 2, MaxTokens = 1,
            LogitBias = ImmutableDictionary<int, float>.Empty.Add(0, -100),
        };
        Assert.True(options.HasPenalties);
        Assert.False(options.IsGreedy);
        Assert.True((options with { TopK = 1 }).IsGreedy);
    }

    public static TheoryData<string, Func<SamplingOptions>> OutOfRange => new()
    {
        { "Temperature", () => new() { Temperature = -0.1f } },
        { "Temperature", () => new() { Temperature = float.NaN } },
        { "Temperature", () => SamplingOptions.Greedy with { Temperature = 101 } },
        { "TopK", () => new() { TopK = -1 } },
        { "TopP", () => new() { TopP = 0 } },
        { "TopP", () => new() { TopP = 1.1f } },
        { "MinP", () => new() { MinP = -0.1f } },
        { "RepetitionPenalty", () => new() { RepetitionPenalty = 0 } },
        { "PresencePenalty", () => new() { PresencePenalty = 2.1f } },
        { "FrequencyPenalty", () => new() { FrequencyPenalty = float.PositiveInfinity } },
        { "MaxTokens", () => new() { MaxTokens = 0 } },
        { "LogitBias", () => new() { LogitBias = ImmutableDictionary<int, float>.Empty.Add(-1, 0) } },
        { "LogitBias", () => new() { LogitBias = ImmutableDictionary<int, float>.Empty.Add(1, 101) } },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void ValuesOutOfRangeAreRefusedByName(string name, Func<SamplingOptions> create) =>
        Assert.Contains(name, Assert.Throws<ArgumentOutOfRangeException>(create).Message, StringComparison.Ordinal);

    [Fact]
    public void MoreBiasesThanTheDeviceHoldsAreRefused()
    {
        var biases = Enumerable.Range(0, 1025).ToImmutableDictionary(token => token, _ => 1f);
        Assert.Equal(1024, new SamplingOptions { LogitBias = biases.Remove(0) }.LogitBias.Count);
        Assert.Contains("1025", Assert.Throws<ArgumentException>(() => new SamplingOptions { LogitBias = biases }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EmptyStopSequencesAreRefused()
    {
        Assert.Throws<ArgumentException>(() => new SamplingOptions { StopSequences = ["a", ""] });
        Assert.Empty(new SamplingOptions { StopSequences = default }.StopSequences);
    }

    [Fact]
    public void AModelThatRecommendsSamplingIsSampled()
    {
        Assert.Equal(SamplingOptions.Greedy, SamplingDefaults.From(new GenerationDefaults { Temperature = 0.6f }));
        Assert.Equal(new SamplingOptions { Temperature = 0.6f, TopK = 20, TopP = 0.95f },
            SamplingDefaults.From(new GenerationDefaults { Sample = true, Temperature = 0.6f, TopK = 20, TopP = 0.95f }));
    }
}
