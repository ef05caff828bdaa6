using DeltaKV.Compression.Eviction;
using DeltaKV.Compression.SnapKv;

namespace DeltaKV.Compression.PyramidKv;

/// <summary>SnapKV with budgets that fall linearly from the first layer to the last: early layers look at much, late ones at little.</summary>
/// <remarks>
/// Settings: SnapKV's, and <c>beta</c> (20): the last layer's budget, without the window, is the beta-th part of the average. Where the first layer would keep more than the
/// prompt has, the slope is as steep as can be; where even twice the average is more, all layers keep the same, as in the released code. Source: Cai et al., PyramidKV, 2024.
/// </remarks>
internal sealed class PyramidKvPolicy(TokenBudget budget, AttentionScoring scoring, int beta, int layers) : IEvictionPolicy
{
    private const int DefaultBeta = 20;

    private readonly int window = scoring.Window!.Value;

    public AttentionScoring Scoring => scoring;

    /// <summary>From a method's settings.</summary>
    internal static PyramidKvPolicy Create(KvMethodSpec spec, int layers)
    {
        spec.Allow([.. TokenBudget.Settings, "window", "kernel", "pool", "beta"]);
        var beta = spec.Number("beta", DefaultBeta);
        return new PyramidKvPolicy(
            TokenBudget.Of(spec),
            SnapKvPolicy.ScoringOf(spec),
            beta >= 1 ? beta : throw new ArgumentException($"The setting 'beta' of '{spec}' is {beta}, expected at least 1."),
            layers);
    }

    public int Budget(int layer, int promptTokens)
    {
        var history = budget.Average(promptTokens) - window;
        if (history <= 0 || promptTokens - window < 2 * history || layers == 1)
            return budget.For(promptTokens);
        var least = history / beta;
        var most = Math.Min((2 * history) - least, promptTokens - window);
        least = (2 * history) - most;
        return budget.Aligned(promptTokens, window + most - (int)Math.Round((double)(most - least) * layer / (layers - 1)));
    }

    public int Recent(int budget) => Math.Min(window, budget);
}
