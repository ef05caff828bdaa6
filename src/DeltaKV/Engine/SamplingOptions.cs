using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using DeltaKV.Kernels.Sampling;

namespace DeltaKV.Engine;

/// <summary>How the next token is chosen and when generation ends. Immutable; a value outside its range throws where it is set.</summary>
/// <remarks>
/// Order of application: logit bias, penalties, temperature, then top-k, top-p and min-p. The defaults choose the most likely token.
/// </remarks>
public sealed record SamplingOptions
{
    /// <summary>Always the most likely token.</summary>
    public static SamplingOptions Greedy { get; } = new();

    /// <summary>Softmax temperature, 0 to 100; 0 chooses the most likely token.</summary>
    public float Temperature { get; init => field = InRange(value, 0, 100); }

    /// <summary>Sample among that many most likely tokens; 0 for all.</summary>
    public int TopK { get; init => field = AtLeast(value, 0); }

    /// <summary>Sample among the most likely tokens that together have this probability, above 0 up to 1.</summary>
    public float TopP { get; init => field = InRange(value, float.Epsilon, 1); } = 1;

    /// <summary>Sample among tokens at least this probable relative to the most likely one, 0 to 1.</summary>
    public float MinP { get; init => field = InRange(value, 0, 1); }

    /// <summary>Divides positive and multiplies negative logits of tokens in prompt or answer; above 0 up to 10, 1 for none.</summary>
    public float RepetitionPenalty { get; init => field = InRange(value, float.Epsilon, 10); } = 1;

    /// <summary>Subtracted from logits of tokens already in the answer, -2 to 2.</summary>
    public float PresencePenalty { get; init => field = InRange(value, -2, 2); }

    /// <summary>Subtracted from logits of tokens in the answer once per occurrence, -2 to 2.</summary>
    public float FrequencyPenalty { get; init => field = InRange(value, -2, 2); }

    /// <summary>Added to the logits of tokens, -100 to 100 each; at most 1024 tokens.</summary>
    public ImmutableDictionary<int, float> LogitBias { get; init => field = CheckBias(value); } = ImmutableDictionary<int, float>.Empty;

    /// <summary>Makes sampling repeatable; null draws a seed per request.</summary>
    /// <remarks>
    /// Every draw depends on the seed, its position and the logits only. In bf16 the last bits of logits depend on how the prompt was cut and on what
    /// else was computed with it, so that one draw in hundreds may fall the other way; <see cref="ModelPrecision.FullPrecision"/> computes them alike.
    /// </remarks>
    public long? Seed { get; init; }

    /// <summary>Most tokens to generate; null for as many as the context holds.</summary>
    public int? MaxTokens { get; init => field = value is null ? null : AtLeast(value.Value, 1); }

    /// <summary>Texts that end the answer, which does not contain them.</summary>
    public ImmutableArray<string> StopSequences { get; init => field = CheckStops(value); } = [];

    /// <summary>Go on after the model's end tokens, up to the token limit.</summary>
    public bool IgnoreEos { get; init; }

    /// <summary>Whether the most likely token is always chosen.</summary>
    public bool IsGreedy => Temperature == 0 || TopK == 1;

    /// <summary>Whether token counts of prompt or answer change the logits.</summary>
    public bool HasPenalties => RepetitionPenalty != 1 || PresencePenalty != 0 || FrequencyPenalty != 0;

    private static float InRange(float value, float least, float most, [CallerMemberName] string name = "")
    {
        // Written so that NaN is refused.
        if (!(value >= least && value <= most))
            throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected {(least == float.Epsilon ? "more than 0" : $"{least}")} to {most}.");
        return value;
    }

    private static int AtLeast(int value, int least, [CallerMemberName] string name = "") =>
        value >= least ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected at least {least}.");

    private static ImmutableDictionary<int, float> CheckBias(ImmutableDictionary<int, float> bias)
    {
        ArgumentNullException.ThrowIfNull(bias, nameof(LogitBias));
        if (bias.Count > SamplingKernel.MaxBiases)
            throw new ArgumentException($"LogitBias has {bias.Count} tokens, expected at most {SamplingKernel.MaxBiases}.", nameof(bias));
        foreach (var (token, value) in bias)
        {
            AtLeast(token, 0, nameof(LogitBias));
            InRange(value, -100, 100, nameof(LogitBias));
        }
        return bias;
    }

    private static ImmutableArray<string> CheckStops(ImmutableArray<string> stops)
    {
        if (stops.IsDefault)
            return [];
        if (stops.Any(string.IsNullOrEmpty))
            throw new ArgumentException("A stop sequence is empty; it would stop before the first token.", nameof(stops));
        return stops;
    }
}
