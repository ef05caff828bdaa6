namespace DeltaKV.Tokenization;

/// <summary>
/// Byte-pair merging of one word, in place over token ids: always the earliest-ranked adjacent pair, leftmost among equals.
/// Short words scan for the best pair; long ones keep pairs in a heap over a linked list, O(n log n) for a word of any length.
/// Not thread-safe: it owns scratch memory.
/// </summary>
internal sealed class BytePairMerger(MergeTable merges)
{
    private const int LongestScanned = 48;
    private const int Nowhere = -1;

    private readonly PriorityQueue<int, ulong> queue = new();
    private int[] next = [];
    private int[] previous = [];

    /// <summary>Merges <paramref name="symbols"/> and returns how many ids are left at its start.</summary>
    internal int Merge(Span<int> symbols) => symbols.Length switch
    {
        < 2 => symbols.Length,
        <= LongestScanned => MergeByScanning(symbols),
        _ => MergeByHeap(symbols),
    };

    private int MergeByScanning(Span<int> symbols)
    {
        var count = symbols.Length;
        Span<ulong> pairs = stackalloc ulong[LongestScanned];
        for (var i = 0; i + 1 < count; i++)
            pairs[i] = merges.Find(symbols[i], symbols[i + 1]);

        while (count > 1)
        {
            var best = 0;
            for (var i = 1; i < count - 1; i++)
            {
                if (pairs[i] < pairs[best])
                    best = i;
            }

            if (pairs[best] == MergeTable.None)
                break;

            symbols[best] = (int)(uint)pairs[best];
            symbols[(best + 2)..count].CopyTo(symbols[(best + 1)..]);
            pairs[(best + 1)..(count - 1)].CopyTo(pairs[best..]);
            count--;
            if (best > 0)
                pairs[best - 1] = merges.Find(symbols[best - 1], symbols[best]);
            if (best < count - 1)
                pairs[best] = merges.Find(symbols[best], symbols[best + 1]);
        }

        return count;
    }

    private int MergeByHeap(Span<int> symbols)
    {
        Link(symbols.Length);
        queue.Clear();
        for (var i = 0; i + 1 < symbols.Length; i++)
            Offer(symbols, i);

        while (queue.TryDequeue(out var position, out var priority))
        {
            var right = next[position];
            if (right == Nowhere)
                continue;
            // A merge nearby may have replaced or removed the pair since it was queued.
            var merge = merges.Find(symbols[position], symbols[right]);
            if (merge == MergeTable.None || merge >> 32 != priority >> 32)
                continue;

            symbols[position] = (int)(uint)merge;
            var after = next[right];
            next[position] = after;
            next[right] = Nowhere;
            if (after != Nowhere)
            {
                previous[after] = position;
                Offer(symbols, position);
            }

            if (previous[position] != Nowhere)
                Offer(symbols, previous[position]);
        }

        var count = 0;
        for (var i = 0; i != Nowhere; i = next[i])
            symbols[count++] = symbols[i];
        return count;
    }

    private void Offer(ReadOnlySpan<int> symbols, int position)
    {
        var merge = merges.Find(symbols[position], symbols[next[position]]);
        if (merge != MergeTable.None)
            queue.Enqueue(position, (merge & 0xFFFFFFFF_00000000) | (uint)position);
    }

    private void Link(int length)
    {
        if (next.Length < length)
        {
            next = new int[length];
            previous = new int[length];
        }

        for (var i = 0; i < length; i++)
        {
            previous[i] = i - 1;
            next[i] = i + 1;
        }

        next[length - 1] = Nowhere;
    }
}
