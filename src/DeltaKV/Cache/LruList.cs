namespace DeltaKV.Cache;

/// <summary>Blocks in order of their last use, linked through arrays so that every operation is constant time and allocates nothing.</summary>
internal sealed class LruList
{
    // Index `capacity` is the sentinel of a ring: its next is the oldest, its previous the newest.
    private readonly int sentinel;
    private readonly int[] next;
    private readonly int[] previous;

    internal LruList(int capacity)
    {
        sentinel = capacity;
        next = new int[capacity + 1];
        previous = new int[capacity + 1];
        next[sentinel] = previous[sentinel] = sentinel;
    }

    internal int Count { get; private set; }

    internal void AddNewest(int block)
    {
        var newest = previous[sentinel];
        next[newest] = block;
        previous[block] = newest;
        next[block] = sentinel;
        previous[sentinel] = block;
        Count++;
    }

    internal void Remove(int block)
    {
        next[previous[block]] = next[block];
        previous[next[block]] = previous[block];
        Count--;
    }

    internal int RemoveOldest()
    {
        var block = next[sentinel];
        if (block == sentinel)
            throw new InvalidOperationException("The list is empty.");
        Remove(block);
        return block;
    }
}
