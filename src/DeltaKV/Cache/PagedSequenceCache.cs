namespace DeltaKV.Cache;

/// <summary>Blocks of one sequence in a <see cref="PagedKvCache"/>. Only full blocks are ever shared; the last, partial one is its own.</summary>
internal sealed class PagedSequenceCache(PagedKvCache owner) : ISequenceCache
{
    private readonly BlockAllocator allocator = owner.Allocator;

    // Blocks from the beginning that are in the prefix index.
    private int knownBlocks;
    private bool admitted;

    public int Length { get; private set; }

    public BlockTable Blocks { get; } = new();

    public KvUsage Usage => owner.UsageOf(Length, Blocks.Count, Blocks.Count);

    private int BlockSize => allocator.BlockSize;

    private int LastBlock => Blocks.Count == 0 ? PrefixIndex.Root : Blocks[Blocks.Count - 1];

    public bool TryAdmit(ReadOnlySpan<int> tokens)
    {
        if (admitted)
            throw new InvalidOperationException("The sequence is admitted already.");
        ArgumentOutOfRangeException.ThrowIfZero(tokens.Length, nameof(tokens));
        admitted = true;
        owner.AdmittedSequences++;

        ShareFullBlocks(tokens);
        var needed = BlocksFor(tokens.Length) - Blocks.Count;
        var headroom = owner.AdmittedSequences - 1;
        if (needed + headroom > allocator.FreeCount)
        {
            Release();
            return false;
        }
        CopyPartialBlock(tokens);
        return true;
    }

    public bool TryReserve(int tokens)
    {
        var needed = BlocksFor(Length + tokens) - Blocks.Count;
        if (needed > allocator.FreeCount)
            return false;
        for (; needed > 0; needed--)
        {
            allocator.TryAllocate(out var block);
            Append(block);
        }
        return true;
    }

    public void Commit(ReadOnlySpan<int> history)
    {
        if (history.Length < Length || history.Length > Blocks.Count * BlockSize)
            throw new ArgumentException($"{history.Length} tokens are committed to {Blocks.Count} blocks that hold {Length}.", nameof(history));
        SetLength(history.Length);
        while ((knownBlocks + 1) * BlockSize <= Length)
        {
            var parent = knownBlocks == 0 ? PrefixIndex.Root : Blocks[knownBlocks - 1];
            var (block, known) = allocator.Register(Blocks[knownBlocks], parent, history.Slice(knownBlocks * BlockSize, BlockSize));
            if (!known)
                break;
            Blocks[knownBlocks++] = block;
        }
    }

    public void Release()
    {
        if (!admitted)
            return;
        admitted = false;
        owner.AdmittedSequences--;
        owner.TableEntries -= Blocks.Count;
        for (var i = Blocks.Count - 1; i >= 0; i--)
            allocator.Release(Blocks[i]);
        Blocks.Clear();
        SetLength(0);
        knownBlocks = 0;
    }

    private void ShareFullBlocks(ReadOnlySpan<int> tokens)
    {
        var usable = tokens.Length - 1;
        while (Length + BlockSize <= usable && allocator.TryFind(LastBlock, tokens.Slice(Length, BlockSize), out var block))
        {
            allocator.AddReference(block);
            Append(block);
            SetLength(Length + BlockSize);
        }
        knownBlocks = Blocks.Count;
    }

    /// <summary>Copy on write: where a known block agrees only in part, or the sequence must recompute its last token, it gets its own copy.</summary>
    private void CopyPartialBlock(ReadOnlySpan<int> tokens)
    {
        var rest = tokens[Length..^1];
        var (source, agreeing) = allocator.FindLongest(LastBlock, rest[..Math.Min(rest.Length, BlockSize)]);
        // Below this, computing the tokens with the rest of the prompt is as cheap as a copy.
        if (agreeing < Math.Max(1, BlockSize / 8))
            return;
        // Held meanwhile, so that the allocation does not evict what is to be copied.
        allocator.AddReference(source);
        if (allocator.TryAllocate(out var copy))
        {
            owner.Store.CopyBlock(source, copy);
            Append(copy);
            SetLength(Length + agreeing);
        }
        allocator.Release(source);
    }

    private int BlocksFor(int tokens) => (tokens + BlockSize - 1) / BlockSize;

    private void Append(int block)
    {
        Blocks.Add(block);
        owner.TableEntries++;
    }

    private void SetLength(int length)
    {
        owner.StoredTokens += length - Length;
        Length = length;
    }
}
