using DeltaKV.Cache;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>
/// The host side of a coded cache: who owns which blocks of which pool. Old tokens of compressed layers move from raw blocks to codes in
/// <see cref="Flush"/>; finished sequences leave snapshots that later prompts start from, compressed as they are.
/// </summary>
internal sealed class CodedKvCache : IKvCache
{
    private readonly SnapshotList<CodedSnapshot> snapshots;
    private readonly List<CodedSequence> admitted = [];
    private readonly List<FlushItem> items = [];
    private readonly bool prefixCaching;

    internal CodedKvCache(CodedKvFormat format, CodedKvCapacity capacity, ICodedStore store, bool prefixCaching)
    {
        (Format, Capacity, Store) = (format, capacity, store);
        this.prefixCaching = prefixCaching;
        Pools = new CodedPools(capacity);
        snapshots = new SnapshotList<CodedSnapshot>(
            (snapshot, tokens) => snapshot.Usable(tokens, format), snapshot => Pools.ForEach(snapshot.Blocks, (pool, block) => pool.Forget(block)));
    }

    public int CapacityTokens => Capacity.Tokens;

    /// <inheritdoc/>
    public KvUsage Usage
    {
        get
        {
            var (tokens, entries) = (0L, 0L);
            foreach (var sequence in admitted)
            {
                tokens += sequence.Length;
                entries += sequence.Map.Entries(Format);
            }

            return UsageOf(tokens, Pools.Full.HeldCount, Pools.Window.HeldCount, Pools.Codes.HeldCount, Pools.References.HeldCount, entries, admitted.Count);
        }
    }

    internal CodedKvFormat Format { get; }

    internal CodedKvCapacity Capacity { get; }

    internal CodedPools Pools { get; }

    internal ICodedStore Store { get; }

    /// <summary>Sequences that hold memory; each may need a block of every pool in any step.</summary>
    internal IReadOnlyList<CodedSequence> Admitted => admitted;

    public ISequenceCache Open() => new CodedSequence(this);

    /// <inheritdoc/>
    public bool Flush()
    {
        items.Clear();
        foreach (var sequence in admitted)
            sequence.CollectFlush(items);
        if (items.Count == 0)
            return false;
        Store.Compress(items);
        foreach (var sequence in admitted)
            sequence.FinishFlush();
        return true;
    }

    /// <summary>Bytes of so many blocks, of their numbers in tables, and of what is kept per sequence and token.</summary>
    internal static KvUsage UsageOf(
        CodedKvFormat format, long tokens, long full, long window, long codes, long references, long entries, long sequences) => new(
        tokens,
        tokens * format.LayerCount * format.RawTokenBytes,
        (full * format.FullBlockBytes) + (window * format.WindowBlockBytes) + (sequences * format.HotBytes),
        references * format.ReferenceBlockBytes,
        codes * format.CodeBlockBytes,
        // Block numbers, the two bounds of a sequence, and token ids where a layer is recomputed from them.
        (entries * sizeof(int)) + (sequences * 2 * sizeof(int)) + (format.RecomputesFirstLayer ? tokens * sizeof(int) : 0));

    internal KvUsage UsageOf(long tokens, long full, long window, long codes, long references, long entries, long sequences) =>
        UsageOf(Format, tokens, full, window, codes, references, entries, sequences);

    internal void Add(CodedSequence sequence) => admitted.Add(sequence);

    internal void Remove(CodedSequence sequence) => admitted.Remove(sequence);

    /// <summary>Makes so many blocks of each pool free, forgetting snapshots if need be, the least recently used first.</summary>
    internal bool TryFree(int full, int window, int codes, int references)
    {
        while (full > Pools.Full.FreeCount || window > Pools.Window.FreeCount || codes > Pools.Codes.FreeCount || references > Pools.References.FreeCount)
        {
            if (!snapshots.TryForgetOldest())
                return false;
        }

        return true;
    }

    /// <summary>The snapshot that saves most of a prompt, and how much; it becomes the most recently used.</summary>
    internal (CodedSnapshot? Snapshot, int Tokens) FindSnapshot(ReadOnlySpan<int> tokens) => snapshots.Find(tokens);

    /// <summary>Keeps what a sequence holds; called before it lets go.</summary>
    internal void Keep(CodedSnapshot snapshot)
    {
        if (!prefixCaching || snapshot.Tokens.Length < KvBlockLayout.Size)
            return;
        Pools.ForEach(snapshot.Blocks, (pool, block) => pool.Keep(block));
        snapshots.Add(snapshot);
    }
}
