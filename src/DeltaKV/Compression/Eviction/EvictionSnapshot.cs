namespace DeltaKV.Compression.Eviction;

/// <summary>What a finished sequence left behind for prompts that begin alike. Its blocks are never written again.</summary>
/// <param name="Tokens">The tokens it was computed from.</param>
/// <param name="EvictedEnd">Its length when it was last evicted from; 0: it is whole.</param>
/// <param name="Layers">Its blocks.</param>
/// <param name="HasMarks">Its tokens carry the attention of all of its queries.</param>
internal sealed record EvictionSnapshot(int[] Tokens, int EvictedEnd, LayerBlocks[] Layers, bool HasMarks)
{
    /// <summary>How much of a prompt can start from here: what agrees, but nothing short of what the eviction has seen.</summary>
    internal int Usable(ReadOnlySpan<int> tokens)
    {
        var common = tokens.CommonPrefixLength(Tokens);
        // Marks know of the queries that differ, too.
        return common >= EvictedEnd && (!HasMarks || common == Tokens.Length) ? common : 0;
    }
}
