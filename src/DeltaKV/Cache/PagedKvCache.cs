namespace DeltaKV.Cache;

/// <summary>The uncompressed cache: fixed-size blocks of bf16 keys and values, shared between sequences that begin alike.</summary>
internal sealed class PagedKvCache : IKvCache
{
    internal PagedKvCache(int blockCount, int blockSize, long bytesPerToken, IKvBlockStore store, bool prefixCaching = true)
    {
        Allocator = new BlockAllocator(blockCount, blockSize, prefixCaching);
        BytesPerToken = bytesPerToken;
        Store = store;
    }

    public int CapacityTokens => (int)Math.Min((long)Allocator.BlockCount * Allocator.BlockSize, int.MaxValue);

    public KvUsage Usage => UsageOf(StoredTokens, Allocator.UsedCount, TableEntries);

    internal BlockAllocator Allocator { get; }

    internal IKvBlockStore Store { get; }

    internal long BytesPerToken { get; }

    /// <summary>Sequences that hold blocks; each may need one more block in any step.</summary>
    internal int AdmittedSequences { get; set; }

    internal long StoredTokens { get; set; }

    internal long TableEntries { get; set; }

    public ISequenceCache Open() => new PagedSequenceCache(this);

    /// <summary>Nothing is compressed, so nothing moves.</summary>
    public bool Flush() => false;

    internal KvUsage UsageOf(long tokens, long blocks, long tableEntries) => new(
        tokens,
        tokens * BytesPerToken,
        blocks * Allocator.BlockSize * BytesPerToken,
        MetadataBytes: tableEntries * sizeof(int));
}
