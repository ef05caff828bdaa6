using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.Eviction;
using DeltaKV.Weights;

namespace DeltaKV.Compression.CompressKv;

/// <summary>Keeps what a layer's semantic retrieval heads attend to at the end of the prompt, the same tokens for all heads; layers that suffer more keep more.</summary>
/// <remarks>
/// Settings: <c>budget</c> or <c>share</c> (the average over layers), <c>file</c> (the model's profile; <c>compresskv.json</c> beside its weights). The last 8 queries,
/// averaged over 5 neighbours, as <see cref="WindowSelection"/> says on the host. Source: CompressKV (arXiv 2508.02401).
/// </remarks>
internal sealed class CompressKvPolicy : IEvictionPolicy
{
    private const int PoolWidth = 5;

    private readonly TokenBudget budget;
    private readonly CompressKvProfile profile;
    private (int PromptTokens, int[] Layers) budgets = (-1, []);

    internal CompressKvPolicy(TokenBudget budget, CompressKvProfile profile)
    {
        (this.budget, this.profile) = (budget, profile);
        Scoring = new AttentionScoring
        {
            Window = WindowSelection.Window, PoolWidth = PoolWidth, SharedByHeads = true, QueryHeads = [.. profile.Layers.Select(layer => layer.Heads)],
        };
    }

    public AttentionScoring Scoring { get; }

    /// <summary>From a method's settings.</summary>
    /// <exception cref="NotSupportedException">There is no model whose retrieval heads could be known.</exception>
    internal static CompressKvPolicy Create(KvMethodSpec spec, ModelConfig config, ModelWeights? weights)
    {
        spec.Allow([.. TokenBudget.Settings, "file"]);
        if (weights is null)
            throw new NotSupportedException("The method 'compresskv' needs a model whose retrieval heads are known; a shape with random weights has none. 'snapkv' costs the same.");
        var profile = CompressKvProfile.Load(spec.Text("file") ?? Path.Combine(weights.Directory, CompressKvProfile.FileName));
        profile.RequireModel(ModelFingerprint.Of(config, weights));
        return new CompressKvPolicy(TokenBudget.Of(spec), profile);
    }

    public int Budget(int layer, int promptTokens)
    {
        if (budgets.PromptTokens != promptTokens)
            budgets = (promptTokens, Distribute(promptTokens));
        return budgets.Layers[layer];
    }

    public int Recent(int budget) => Math.Min(WindowSelection.Window, budget);

    private int[] Distribute(int promptTokens)
    {
        var average = Math.Max(budget.Average(promptTokens), LayerBudgets.Minimum);
        return average >= promptTokens
            ? [.. profile.Layers.Select(_ => promptTokens)]
            : [.. profile.Budgets(average, promptTokens).Select(tokens => budget.Aligned(promptTokens, tokens))];
    }
}
