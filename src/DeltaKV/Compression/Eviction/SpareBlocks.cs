namespace DeltaKV.Compression.Eviction;

/// <summary>Blocks set aside for an eviction that comes at the end of the step.</summary>
internal sealed class SpareBlocks(EvictingKvCache owner)
{
    private readonly List<int> raw = [];
    private readonly List<int>[] coded = [.. owner.CodePools.Select(_ => new List<int>())];

    /// <summary>Raw blocks.</summary>
    internal int RawCount => raw.Count;

    /// <summary>Coded blocks of a kind.</summary>
    internal int CodedCount(int kind) => coded[kind].Count;

    /// <summary>What is missing of a need.</summary>
    internal BlockNeed Missing(BlockNeed need)
    {
        var missing = owner.Nothing();
        missing.Raw = Math.Max(0, need.Raw - raw.Count);
        for (var kind = 0; kind < coded.Length; kind++)
            missing.Coded[kind] = Math.Max(0, need.Coded[kind] - coded[kind].Count);
        return missing;
    }

    /// <summary>Takes what is missing; there must be as many free.</summary>
    internal void Fill(BlockNeed need)
    {
        while (raw.Count < need.Raw)
            raw.Add(owner.Pool.Take());
        for (var kind = 0; kind < coded.Length; kind++)
        {
            while (coded[kind].Count < need.Coded[kind])
                coded[kind].Add(owner.CodePools[kind].Take());
        }
    }

    /// <summary>A raw block.</summary>
    internal int Take() => Pop(raw) ?? owner.Pool.Take();

    /// <summary>A coded block.</summary>
    internal int Take(int kind) => Pop(coded[kind]) ?? owner.CodePools[kind].Take();

    /// <summary>Gives the rest back.</summary>
    internal void Return()
    {
        foreach (var block in raw)
            owner.Pool.Release(block);
        raw.Clear();
        for (var kind = 0; kind < coded.Length; kind++)
        {
            foreach (var block in coded[kind])
                owner.CodePools[kind].Release(block);
            coded[kind].Clear();
        }
    }

    private static int? Pop(List<int> blocks)
    {
        if (blocks.Count == 0)
            return null;
        var block = blocks[^1];
        blocks.RemoveAt(blocks.Count - 1);
        return block;
    }
}
