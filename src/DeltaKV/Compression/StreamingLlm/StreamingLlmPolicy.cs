using DeltaKV.Compression.Eviction;

namespace DeltaKV.Compression.StreamingLlm;

/// <summary>Keeps the first tokens, which attention falls back on when it seeks nothing, and the newest; also while the answer grows.</summary>
/// <remarks>
/// Settings: <c>budget</c> or <c>share</c>, <c>sinks</c> (4). Keys keep the rotation of their own positions, where the paper rotates them by their place in the cache: a model
/// that was trained for the length sees the distances it knows. Source: Xiao et al., Efficient streaming language models with attention sinks, ICLR 2024.
/// </remarks>
internal sealed class StreamingLlmPolicy(TokenBudget budget, int sinks) : IEvictionPolicy
{
    private const int DefaultSinks = 4;

    public int Sinks => sinks;

    public bool WhileDecoding => true;

    /// <summary>From a method's settings.</summary>
    internal static StreamingLlmPolicy Create(KvMethodSpec spec)
    {
        spec.Allow([.. TokenBudget.Settings, "sinks"]);
        var sinks = spec.Number("sinks", DefaultSinks);
        return new StreamingLlmPolicy(
            TokenBudget.Of(spec), sinks is >= 0 and < TokenBudget.Least ? sinks : throw new ArgumentException($"'{spec}' has {sinks} sinks, expected 0 to {TokenBudget.Least - 1}."));
    }

    public int Budget(int layer, int promptTokens) => budget.For(promptTokens);

    public int Recent(int budget) => budget - sinks;
}
