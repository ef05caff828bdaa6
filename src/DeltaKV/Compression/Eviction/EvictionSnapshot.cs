namespace DeltaKV.Compression.Eviction;

/// <summary>What a finished sequence left behind for prompts that begin alike. Its blocks are never written again.</summary>
/// <param name="Tokens">The tokens it was computed from.</param>
/// <param name="EvictedEnd">Its length when it was last evicted from; 0: it is whole.</param>
/// <param name="Layers">Its blocks.</param>
/// <param name="Format">What they hold.</param>
internal sealed record EvictionSnapshot(int[] Tokens, int EvictedEnd, LayerBlocks[] Layers, EvictionFormat Format)
{
    /// <summary>How much of a prompt can start from here: what agrees, but nothing short of what the eviction has seen.</summary>
    internal int Usable(ReadOnlySpan<int> tokens)
    {
        var common = tokens.CommonPrefixLength(Tokens);
        return common >= EvictedEnd ? Cut(common) : 0;
    }

    /// <summary>How much of that can be cut off the rest; 0: nothing.</summary>
    internal int Cut(int common)
    {
        // Marks know of the queries that differ, too.
        if (Format.HasMarks && common < Tokens.Length)
            return 0;
        // What was coded together stays together.
        if (Format.Kept is { } kept && Layers.Any(layer => common > layer.CodedStart && common < layer.CodedEnd))
            common = common / kept.BlockTokens * kept.BlockTokens;
        return common >= EvictedEnd ? common : 0;
    }
}
