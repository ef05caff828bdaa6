namespace DeltaKV.Compression.Eviction;

/// <summary>How much of prompts a policy keeps, for plans: so many tokens of every token, and so many of every sequence.</summary>
internal sealed class KeptTokens
{
    /// <param name="policy">The policy.</param>
    /// <param name="layers">Layers.</param>
    /// <param name="maxTokens">The longest prompt.</param>
    internal KeptTokens(IEvictionPolicy policy, int layers, int maxTokens)
    {
        var (perToken, perSequence) = (new double[layers], new int[layers]);
        for (var layer = 0; layer < layers; layer++)
        {
            var (half, whole) = (Math.Min(policy.Budget(layer, maxTokens / 2), maxTokens / 2), Math.Min(policy.Budget(layer, maxTokens), maxTokens));
            perToken[layer] = Math.Max(0, (double)(whole - half) / (maxTokens - (maxTokens / 2)));
            perSequence[layer] = (int)Math.Max(0, Math.Ceiling(whole - (perToken[layer] * maxTokens)));
        }

        (PerToken, PerSequence) = (perToken, perSequence);
    }

    /// <summary>By layer, what grows with the prompt.</summary>
    internal IReadOnlyList<double> PerToken { get; }

    /// <summary>By layer, what does not.</summary>
    internal IReadOnlyList<int> PerSequence { get; }

    /// <summary>Bytes of what is kept of a token of a prompt, over all layers.</summary>
    internal double Bytes(EvictionFormat format)
    {
        var bytes = 0.0;
        for (var layer = 0; layer < PerToken.Count; layer++)
        {
            bytes += PerToken[layer] * (format.Kept?.Kinds[layer] is >= 0 and var kind
                ? (double)format.Kept.KindBytes[kind] / format.Kept.BlockTokens
                : (double)format.BlockBytes / EvictionFormat.BlockTokens);
        }

        return bytes;
    }
}
