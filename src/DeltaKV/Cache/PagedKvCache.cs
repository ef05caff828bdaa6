namespace DeltaKV.Cache;

/// <summary>The uncompressed cache: fixed-size blocks of bf16 keys and values, shared between sequences that begin alike.</summary>
internal sealed class PagedKvCache : IKvCache
{
    private readonly long blockMetadataBytes;

    /// <param name="blockCount">Blocks.</param>
    /// <param name="blockSize">Tokens of a block.</param>
    /// <param name="bytesPerToken">Keys and values of a token over all layers.</param>
    /// <param name="store">The memory behind the blocks.</param>
    /// <param name="prefixCaching">Whether blocks outlive their sequence for prompts that begin alike.</param>
    /// <param name="blockMetadataBytes">What the store keeps besides for a block.</param>
    internal PagedKvCache(int blockCount, int blockSize, long bytesPerToken, IKvBlockStore store, bool prefixCaching = true, long blockMetadataBytes = 0)
    {
        Allocator = new BlockAllocator(blockCount, blockSize, prefixCaching);
        BytesPerToken = bytesPerToken;
        Store = store;
        this.blockMetadataBytes = blockMetadataBytes;
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

    /// <summary>Nothing is compressed, so no memory becomes free.</summary>
    public bool Flush()
    {
        Store.Flush();
        return false;
    }

    internal KvUsage UsageOf(long tokens, long blocks, long tableEntries) => new(
        tokens,
        tokens * BytesPerToken,
        blocks * Allocator.BlockSize * BytesPerToken,
        MetadataBytes: (tableEntries * sizeof(int)) + (blocks * blockMetadataBytes));
}
