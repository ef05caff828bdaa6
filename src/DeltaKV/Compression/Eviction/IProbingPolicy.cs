namespace DeltaKV.Compression.Eviction;

/// <summary>A policy that has the model read something after a prompt, looks at what it attends to, and shares the budget among layers by that.</summary>
internal interface IProbingPolicy : IEvictionPolicy
{
    /// <summary>The most tokens of a prompt that are repeated at once.</summary>
    int ChunkTokens { get; }

    /// <summary>What is said before them.</summary>
    ReadOnlySpan<int> Instruction { get; }

    /// <summary>The most that a layer may keep of a prompt, whatever the probe says.</summary>
    int LargestBudget(int promptTokens);

    /// <summary>Tokens of every layer after the probe.</summary>
    /// <param name="marks">How many tokens of every layer received how much, <c>[layers, MarkHistogram.Buckets]</c>, over all key/value heads.</param>
    /// <param name="keyHeads">Key/value heads.</param>
    /// <param name="promptTokens">The prompt.</param>
    int[] Distribute(ReadOnlySpan<int> marks, int keyHeads, int promptTokens);
}
