namespace DeltaKV.Cache;

/// <summary>What finished sequences left behind for prompts that begin alike, in order of their last use.</summary>
/// <typeparam name="T">What a sequence leaves behind.</typeparam>
/// <param name="usable">How many of a prompt's tokens a snapshot saves.</param>
/// <param name="forget">Gives back what a snapshot holds.</param>
internal sealed class SnapshotList<T>(Func<T, ReadOnlySpan<int>, int> usable, Action<T> forget)
    where T : class
{
    private const int Capacity = 64;

    private readonly LinkedList<T> snapshots = new();

    /// <summary>The snapshot that saves most of a prompt, and how much; it becomes the most recently used.</summary>
    internal (T? Snapshot, int Tokens) Find(ReadOnlySpan<int> tokens)
    {
        LinkedListNode<T>? best = null;
        var most = 0;
        for (var node = snapshots.First; node is not null; node = node.Next)
        {
            var saved = usable(node.Value, tokens);
            if (saved > most)
                (best, most) = (node, saved);
        }

        if (best is null)
            return (null, 0);
        snapshots.Remove(best);
        snapshots.AddLast(best);
        return (best.Value, most);
    }

    /// <summary>Adds a snapshot as the most recently used; beyond the capacity the oldest is forgotten.</summary>
    internal void Add(T snapshot)
    {
        snapshots.AddLast(snapshot);
        if (snapshots.Count > Capacity)
            TryForgetOldest();
    }

    /// <summary>Forgets the least recently used snapshot, if there is one and it is not the one to spare.</summary>
    internal bool TryForgetOldest(T? spared = null)
    {
        if (snapshots.First?.Value is not { } oldest || oldest == spared)
            return false;
        snapshots.RemoveFirst();
        forget(oldest);
        return true;
    }
}
