using DeltaKV.Cache;
using DeltaKV.Compression.Codes.Storage;

namespace DeltaKV.Compression.Eviction;

/// <summary>The host side of an evicting cache: who owns which blocks. Prompts are whole until their end; finished sequences leave snapshots as they were kept.</summary>
internal sealed class EvictingKvCache : IKvCache
{
    private readonly SnapshotList<EvictionSnapshot> snapshots;
    private readonly List<EvictingSequence> admitted = [];
    private readonly List<EvictionJob> jobs = [];
    private readonly List<CodingRange> ranges = [];
    private readonly Stack<int> querySlots;
    private readonly bool prefixCaching;
    private long version;

    /// <param name="format">What is stored.</param>
    /// <param name="blocks">Raw blocks.</param>
    /// <param name="codedBlocks">Coded blocks, by kind.</param>
    /// <param name="querySlots">Prompts whose last queries can be kept at once.</param>
    /// <param name="store">The memory.</param>
    /// <param name="prefixCaching">Whether finished sequences are kept for prompts that begin alike.</param>
    internal EvictingKvCache(EvictionFormat format, int blocks, IReadOnlyList<int> codedBlocks, int querySlots, IEvictionStore store, bool prefixCaching)
    {
        (Format, Store, this.prefixCaching) = (format, store, prefixCaching);
        Pool = new BlockPool(blocks);
        CodePools = [.. codedBlocks.Select(count => new BlockPool(count))];
        snapshots = new SnapshotList<EvictionSnapshot>(
            (snapshot, tokens) => snapshot.Usable(tokens), snapshot => ForEach(snapshot.Layers, Pool.Forget, (kind, block) => CodePools[kind].Forget(block)));
        this.querySlots = new Stack<int>(Enumerable.Range(0, querySlots).Reverse());
    }

    public int CapacityTokens => Pool.Count / Format.LayerCount * EvictionFormat.BlockTokens;

    /// <inheritdoc/>
    public KvUsage Usage
    {
        get
        {
            var (tokens, metadata) = (0L, 0L);
            foreach (var sequence in admitted)
            {
                tokens += sequence.Length;
                metadata += sequence.MetadataBytes;
            }

            return UsageOf(tokens, Pool.HeldCount, kind => CodePools[kind].HeldCount, metadata);
        }
    }

    internal EvictionFormat Format { get; }

    /// <summary>Raw blocks.</summary>
    internal BlockPool Pool { get; }

    /// <summary>Coded blocks, by kind.</summary>
    internal IReadOnlyList<BlockPool> CodePools { get; }

    internal IEvictionStore Store { get; }

    /// <summary>Sequences that hold memory; each may need a block of every layer in any step.</summary>
    internal IReadOnlyList<EvictingSequence> Admitted => admitted;

    public ISequenceCache Open() => new EvictingSequence(this);

    /// <inheritdoc/>
    public bool Flush()
    {
        jobs.Clear();
        ranges.Clear();
        foreach (var sequence in admitted)
            sequence.CollectEvictions(jobs);
        foreach (var sequence in admitted)
            sequence.CollectCoding(ranges);
        if (jobs.Count > 0)
            Store.Evict(jobs);
        if (ranges.Count > 0)
            Store.Code(ranges);
        foreach (var sequence in admitted)
        {
            sequence.FinishEvictions();
            sequence.FinishCoding();
        }

        return jobs.Count + ranges.Count > 0;
    }

    internal KvUsage UsageOf(long tokens, long blocks, Func<int, long> coded, long metadata) => new(
        tokens,
        tokens * Format.LayerCount * Format.TokenBytes,
        blocks * EvictionFormat.BlockTokens * Format.TokenBytes,
        LatentBytes: Enumerable.Range(0, CodePools.Count).Sum(kind => coded(kind) * Format.Kept!.KindBytes[kind]),
        MetadataBytes: metadata + (blocks * (Format.MarkBytes + Format.PositionBytes)) + (Format.Kept is { Code.RecomputesFirstLayer: true } ? tokens * sizeof(int) : 0));

    /// <summary>No blocks.</summary>
    internal BlockNeed Nothing() => new(CodePools.Count);

    /// <summary>A need, and a block of every layer for each of so many others.</summary>
    internal BlockNeed WithOthers(BlockNeed need, int others)
    {
        need.Raw += others * Format.LayerCount;
        for (var kind = 0; kind < CodePools.Count; kind++)
            need.Coded[kind] += others * Format.Kept!.Kinds.Count(other => other == kind);
        return need;
    }

    /// <summary>A number that no map had before.</summary>
    internal long NextVersion() => ++version;

    internal void Add(EvictingSequence sequence) => admitted.Add(sequence);

    internal void Remove(EvictingSequence sequence) => admitted.Remove(sequence);

    internal bool TryTakeQuerySlot(out int slot) => querySlots.TryPop(out slot);

    internal void ReturnQuerySlot(int slot) => querySlots.Push(slot);

    /// <summary>Makes so many blocks free, forgetting snapshots if need be, the least recently used first.</summary>
    /// <param name="blocks">How many.</param>
    /// <param name="spared">A snapshot that is not forgotten, the most recently used; null: any is.</param>
    internal bool TryFree(BlockNeed blocks, EvictionSnapshot? spared = null)
    {
        while (blocks.Raw > Pool.FreeCount || CodePools.Zip(blocks.Coded).Any(pair => pair.Second > pair.First.FreeCount))
        {
            if (!snapshots.TryForgetOldest(spared))
                return false;
        }

        return true;
    }

    /// <summary>The snapshot that saves most of a prompt, and how much; it becomes the most recently used.</summary>
    internal (EvictionSnapshot? Snapshot, int Tokens) FindSnapshot(ReadOnlySpan<int> tokens) => snapshots.Find(tokens);

    /// <summary>Keeps what a sequence holds; called before it lets go.</summary>
    internal void Keep(EvictionSnapshot snapshot)
    {
        if (!prefixCaching || snapshot.Tokens.Length < EvictionFormat.BlockTokens)
            return;
        ForEach(snapshot.Layers, Pool.Keep, (kind, block) => CodePools[kind].Keep(block));
        snapshots.Add(snapshot);
    }

    private static void ForEach(LayerBlocks[] layers, Action<int> raw, Action<int, int> coded)
    {
        foreach (var layer in layers)
            layer.ForEach(raw, coded);
    }
}
