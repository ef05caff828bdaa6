using DeltaKV.Compression;
using DeltaKV.Compression.Eviction;

namespace DeltaKV.PublicApi.Tests;

/// <summary>
/// A key/value method of one's own: keeps the tokens that a prompt's last queries look at, and of the others those that the prompt has seldom, for names and numbers are rare
/// and filler is not. All of it, in the public API.
/// </summary>
internal sealed class RareTokensPolicy(double share, float weight) : IEvictionPolicy
{
    private const int Newest = 16;

    /// <summary>Its settings: <c>share</c> in percent and <c>weight</c>, what a token that occurs once is worth.</summary>
    internal static RareTokensPolicy Create(KvMethodSpec spec)
    {
        spec.Allow("share", "weight");
        return new RareTokensPolicy(spec.Real("share", 50) / 100, (float)spec.Real("weight", 0.5));
    }

    public AttentionScoring Scoring { get; } = new() { Window = Newest, PoolWidth = 3, Pooling = Pooling.Max };

    public int Sinks => 4;

    public int Budget(int layer, int promptTokens) => Math.Max((int)(share * promptTokens), 2 * Newest);

    public int Recent(int budget) => Newest;

    public bool Prefer(int layer, ReadOnlySpan<int> tokens, Span<float> priorities)
    {
        var counts = new Dictionary<int, int>();
        foreach (var token in tokens)
            counts[token] = counts.GetValueOrDefault(token) + 1;
        for (var i = 0; i < tokens.Length; i++)
            priorities[i] = weight / counts[tokens[i]];
        return true;
    }
}
