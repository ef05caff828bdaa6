using DeltaKV.Cache;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>Blocks of one kind with reference counts, and how many of them running sequences hold; the others are kept for reuse only.</summary>
internal sealed class BlockPool(int count)
{
    private readonly BlockAllocator allocator = new(count, 1, prefixCaching: false);
    private readonly int[] holders = new int[count];

    /// <summary>All blocks.</summary>
    internal int Count => allocator.BlockCount;

    /// <summary>Blocks that can be taken now.</summary>
    internal int FreeCount => allocator.FreeCount;

    /// <summary>Blocks that running sequences hold.</summary>
    internal int HeldCount { get; private set; }

    /// <summary>A block with undefined content. Whoever takes one has looked at <see cref="FreeCount"/>.</summary>
    internal int Take()
    {
        if (!allocator.TryAllocate(out var block))
            throw new InvalidOperationException($"All {Count} blocks are taken.");
        AddHolder(block);
        return block;
    }

    /// <summary>A running sequence holds a block too.</summary>
    internal void Share(int block)
    {
        allocator.AddReference(block);
        AddHolder(block);
    }

    /// <summary>A running sequence lets go.</summary>
    internal void Release(int block)
    {
        if (--holders[block] == 0)
            HeldCount--;
        allocator.Release(block);
    }

    /// <summary>
    /// Takes over from a snapshot what holds the first slots of a sequence: whole blocks are shared, the last partial one is copied. Blocks that are not there, which have negative numbers, are not there
    /// afterwards either.
    /// </summary>
    /// <param name="source">The snapshot's blocks.</param>
    /// <param name="target">Where their numbers go.</param>
    /// <param name="slots">How many slots.</param>
    /// <param name="size">Slots of a block.</param>
    /// <param name="copy">Copies a block.</param>
    /// <param name="sharesNone">Whether whole blocks are copied, too, because something in them goes on changing.</param>
    internal void TakeOver(IReadOnlyList<int> source, List<int> target, int slots, int size, Action<int, int> copy, bool sharesNone = false)
    {
        for (var block = 0; block * size < slots; block++)
        {
            var number = source[block];
            if (number >= 0 && !sharesNone && (block + 1) * size <= slots)
            {
                Share(number);
            }
            else if (number >= 0)
            {
                number = Take();
                copy(source[block], number);
            }

            target.Add(number);
        }
    }

    /// <summary>Whether anybody else has a hold on a block that a running sequence holds.</summary>
    internal bool IsShared(int block) => allocator.ReferenceCount(block) > 1;

    /// <summary>Keeps a block for reuse.</summary>
    internal void Keep(int block) => allocator.AddReference(block);

    /// <summary>Keeps it no longer.</summary>
    internal void Forget(int block) => allocator.Release(block);

    private void AddHolder(int block)
    {
        if (holders[block]++ == 0)
            HeldCount++;
    }
}
