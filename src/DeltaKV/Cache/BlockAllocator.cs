namespace DeltaKV.Cache;

/// <summary>
/// Hands out blocks of key/value memory. A block is held (reference count above 0), idle (nobody holds it, but its content is in the
/// prefix index and may be taken again) or free. Idle blocks are memory like free ones: the least recently used is evicted when needed.
/// </summary>
internal sealed class BlockAllocator
{
    private readonly int[] references;
    private readonly int[] free;
    private readonly LruList idle;
    private readonly PrefixIndex? index;
    private int freeCount;

    internal BlockAllocator(int blockCount, int blockSize, bool prefixCaching = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        BlockCount = blockCount;
        BlockSize = blockSize;
        references = new int[blockCount];
        free = new int[blockCount];
        idle = new LruList(blockCount);
        index = prefixCaching ? new PrefixIndex(blockCount, blockSize) : null;
        // The lowest numbers are on top.
        for (var block = blockCount - 1; block >= 0; block--)
            free[freeCount++] = block;
    }

    internal int BlockCount { get; }

    internal int BlockSize { get; }

    /// <summary>Blocks that can be allocated now.</summary>
    internal int FreeCount => freeCount + idle.Count;

    /// <summary>Blocks that somebody holds.</summary>
    internal int UsedCount => BlockCount - FreeCount;

    /// <summary>Blocks nobody holds, kept for reuse.</summary>
    internal int IdleCount => idle.Count;

    internal int ReferenceCount(int block) => references[block];

    /// <summary>A block with undefined content and one reference.</summary>
    internal bool TryAllocate(out int block)
    {
        if (freeCount > 0)
        {
            block = free[--freeCount];
        }
        else if (idle.Count > 0)
        {
            block = idle.RemoveOldest();
            index!.Remove(block);
        }
        else
        {
            block = -1;
            return false;
        }
        references[block] = 1;
        return true;
    }

    /// <summary>Takes hold of a block that is held or idle.</summary>
    internal void AddReference(int block)
    {
        if (references[block] == 0)
        {
            if (index is null || !index.Contains(block))
                throw new InvalidOperationException($"Block {block} is free; it cannot be shared.");
            idle.Remove(block);
        }
        references[block]++;
    }

    /// <summary>Gives up one reference. Blocks of a sequence are released last to first, so that a prefix outlives what follows it.</summary>
    internal void Release(int block)
    {
        if (references[block] == 0)
            throw new InvalidOperationException($"Block {block} is released more often than it was taken.");
        if (--references[block] > 0)
            return;
        if (index is not null && index.Contains(block))
            idle.AddNewest(block);
        else
            free[freeCount++] = block;
    }

    /// <summary>Finds the full block with that content after <paramref name="parent"/> (<see cref="PrefixIndex.Root"/> for the first).</summary>
    internal bool TryFind(int parent, ReadOnlySpan<int> content, out int block)
    {
        block = -1;
        return index is not null && index.TryFind(parent, content, out block);
    }

    /// <summary>The known block after <paramref name="parent"/> that shares the longest beginning with <paramref name="content"/>.</summary>
    internal (int Block, int Agreeing) FindLongest(int parent, ReadOnlySpan<int> content) => index?.FindLongest(parent, content) ?? (-1, 0);

    /// <summary>
    /// Makes a full block known for reuse. If another block already holds the same content, the caller's reference moves to that one and
    /// its own block is freed. Returns the block to use from now on, and whether it is known.
    /// </summary>
    internal (int Block, bool Known) Register(int block, int parent, ReadOnlySpan<int> content)
    {
        if (index is null)
            return (block, false);
        if (!index.TryFind(parent, content, out var known))
            return (block, index.TryAdd(block, parent, content));
        AddReference(known);
        Release(block);
        return (known, true);
    }
}
