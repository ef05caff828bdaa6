using DeltaKV.Compression.Eviction;

namespace DeltaKV.Compression.H2o;

/// <summary>Keeps the tokens that received most attention from all tokens so far, per key/value head, and as many of the newest; also while the answer grows.</summary>
/// <remarks>
/// Settings: <c>budget</c> or <c>share</c>. Every token carries the sum of the attention it received, 4 bytes per key/value head, from prompt and answer alike; half of the budget
/// goes to the newest tokens. Computing the sums takes about as long as the prompt's attention once more. Source: Zhang et al., H2O: heavy-hitter oracle, NeurIPS 2023, with
/// the prompt evicted from at its end instead of token by token.
/// </remarks>
internal sealed class H2oPolicy(TokenBudget budget) : IEvictionPolicy
{
    public AttentionScoring Scoring { get; } = new();

    public bool WhileDecoding => true;

    /// <summary>From a method's settings.</summary>
    internal static H2oPolicy Create(KvMethodSpec spec)
    {
        spec.Allow(TokenBudget.Settings);
        return new H2oPolicy(TokenBudget.Of(spec));
    }

    public int Budget(int layer, int promptTokens) => budget.For(promptTokens);

    public int Recent(int budget) => budget / 2;
}
