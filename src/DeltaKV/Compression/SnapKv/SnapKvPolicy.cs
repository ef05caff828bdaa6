using DeltaKV.Compression.Eviction;

namespace DeltaKV.Compression.SnapKv;

/// <summary>Keeps what the last queries of the prompt attend to, per key/value head, and those last tokens.</summary>
/// <remarks>
/// Settings: <c>budget</c> or <c>share</c>, <c>window</c> (32), <c>kernel</c> (7), <c>pool</c> (<c>avg</c> or <c>max</c>; avg). Query heads are summed over the group that shares a
/// key/value head. Source: Li et al., SnapKV: LLM knows what you are looking for before generation, 2024.
/// </remarks>
internal sealed class SnapKvPolicy(TokenBudget budget, AttentionScoring scoring) : IEvictionPolicy
{
    private const int DefaultWindow = 32;
    private const int DefaultKernel = 7;

    public AttentionScoring Scoring => scoring;

    /// <summary>From a method's settings.</summary>
    internal static SnapKvPolicy Create(KvMethodSpec spec)
    {
        spec.Allow([.. TokenBudget.Settings, "window", "kernel", "pool"]);
        return new SnapKvPolicy(TokenBudget.Of(spec), ScoringOf(spec));
    }

    /// <summary>The settings it shares with methods that only spread the budget differently.</summary>
    internal static AttentionScoring ScoringOf(KvMethodSpec spec) => new()
    {
        Window = spec.Number("window", DefaultWindow),
        PoolWidth = spec.Number("kernel", DefaultKernel),
        Pooling = spec.Text("pool") switch
        {
            null or "avg" => Pooling.Average,
            "max" => Pooling.Max,
            var other => throw new ArgumentException($"The setting 'pool' of '{spec.Name}' is '{other}', expected avg or max."),
        },
    };

    public int Budget(int layer, int promptTokens) => budget.For(promptTokens);

    public int Recent(int budget) => Math.Min(scoring.Window!.Value, budget);
}
