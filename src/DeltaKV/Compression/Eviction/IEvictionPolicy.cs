namespace DeltaKV.Compression.Eviction;

/// <summary>
/// Which tokens a method keeps of a prompt: all that an eviction method has to say. Of every layer the first <see cref="Sinks"/> tokens stay, the newest
/// <see cref="Recent"/>, and between them those that rank highest, until <see cref="Budget"/> is reached. The rest is deleted and its memory is free.
/// </summary>
/// <remarks>
/// The prompt itself is computed with everything; eviction comes once, when its last token has been, and before the answer. What the cache does for every policy alike:
/// paged memory per layer, batches, chunked prompts, preemption, prompts that continue from a conversation as it was kept. A policy is asked on the engine's thread and must
/// always answer alike.
/// </remarks>
public interface IEvictionPolicy
{
    /// <summary>The attention that ranks tokens; null: attention is not looked at.</summary>
    AttentionScoring? Scoring => null;

    /// <summary>First tokens that always stay.</summary>
    int Sinks => 0;

    /// <summary>Whether the budget is kept while the answer grows, too: every 64 tokens. Needs a <see cref="Scoring"/> of all queries or none.</summary>
    bool WhileDecoding => false;

    /// <summary>Tokens that a layer keeps of a prompt of that length; as many as it has, or more, to keep everything.</summary>
    int Budget(int layer, int promptTokens);

    /// <summary>Newest tokens of a budget that always stay.</summary>
    int Recent(int budget);

    /// <summary>
    /// Adds to the ranks what the tokens themselves say, if anything: attention's scores are sums of probabilities, so 1 outweighs much and
    /// <see cref="float.PositiveInfinity"/> everything.
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <param name="tokens">Ids of the tokens of the sequence that no eviction has seen yet.</param>
    /// <param name="priorities">One per token, 0 at first; none may become negative.</param>
    /// <returns>Whether any is not 0.</returns>
    bool Prefer(int layer, ReadOnlySpan<int> tokens, Span<float> priorities) => false;
}
