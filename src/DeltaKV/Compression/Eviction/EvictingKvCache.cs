using DeltaKV.Cache;
using DeltaKV.Compression.Codes.Storage;

namespace DeltaKV.Compression.Eviction;

/// <summary>The host side of an evicting cache: who owns which blocks. Prompts are whole until their end; finished sequences leave snapshots as they were kept.</summary>
internal sealed class EvictingKvCache : IKvCache
{
    private readonly SnapshotList<EvictionSnapshot> snapshots;
    private readonly List<EvictingSequence> admitted = [];
    private readonly List<EvictionJob> jobs = [];
    private readonly Stack<int> querySlots;
    private readonly bool prefixCaching;
    private long version;

    /// <param name="format">What is stored.</param>
    /// <param name="blocks">Blocks of the pool.</param>
    /// <param name="querySlots">Prompts whose last queries can be kept at once.</param>
    /// <param name="store">The memory.</param>
    /// <param name="prefixCaching">Whether finished sequences are kept for prompts that begin alike.</param>
    internal EvictingKvCache(EvictionFormat format, int blocks, int querySlots, IEvictionStore store, bool prefixCaching)
    {
        (Format, Store, this.prefixCaching) = (format, store, prefixCaching);
        Pool = new BlockPool(blocks);
        snapshots = new SnapshotList<EvictionSnapshot>((snapshot, tokens) => snapshot.Usable(tokens), snapshot => ForEach(snapshot.Layers, Pool.Forget));
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

            return UsageOf(tokens, Pool.HeldCount, metadata);
        }
    }

    internal EvictionFormat Format { get; }

    internal BlockPool Pool { get; }

    internal IEvictionStore Store { get; }

    /// <summary>Sequences that hold memory; each may need a block of every layer in any step.</summary>
    internal IReadOnlyList<EvictingSequence> Admitted => admitted;

    public ISequenceCache Open() => new EvictingSequence(this);

    /// <inheritdoc/>
    public bool Flush()
    {
        jobs.Clear();
        foreach (var sequence in admitted)
            sequence.CollectEvictions(jobs);
        if (jobs.Count == 0)
            return false;
        Store.Evict(jobs);
        foreach (var sequence in admitted)
            sequence.FinishEvictions();
        return true;
    }

    internal KvUsage UsageOf(long tokens, long blocks, long metadata) => new(
        tokens,
        tokens * Format.LayerCount * Format.TokenBytes,
        blocks * EvictionFormat.BlockTokens * Format.TokenBytes,
        MetadataBytes: metadata + (blocks * Format.MarkBytes));

    /// <summary>A number that no map had before.</summary>
    internal long NextVersion() => ++version;

    internal void Add(EvictingSequence sequence) => admitted.Add(sequence);

    internal void Remove(EvictingSequence sequence) => admitted.Remove(sequence);

    internal bool TryTakeQuerySlot(out int slot) => querySlots.TryPop(out slot);

    internal void ReturnQuerySlot(int slot) => querySlots.Push(slot);

    /// <summary>Makes so many blocks free, forgetting snapshots if need be, the least recently used first.</summary>
    /// <param name="blocks">How many.</param>
    /// <param name="spared">A snapshot that is not forgotten, the most recently used; null: any is.</param>
    internal bool TryFree(int blocks, EvictionSnapshot? spared = null)
    {
        while (blocks > Pool.FreeCount)
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
        ForEach(snapshot.Layers, Pool.Keep);
        snapshots.Add(snapshot);
    }

    /// <summary>Calls an action for every block.</summary>
    internal static void ForEach(LayerBlocks[] layers, Action<int> action)
    {
        foreach (var layer in layers)
        {
            for (var i = layer.FirstBlock; i < layer.Blocks.Count; i++)
                action(layer.Blocks[i]);
        }
    }
}
