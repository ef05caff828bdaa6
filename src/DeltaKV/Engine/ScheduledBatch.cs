namespace DeltaKV.Engine;

/// <summary>What one step computes: single tokens of decoding sequences first, then chunks of prompts. Reused from step to step.</summary>
internal sealed class ScheduledBatch(int capacity)
{
    private readonly BatchEntry[] entries = new BatchEntry[capacity];

    internal int Count { get; private set; }

    /// <summary>Leading entries of exactly one token.</summary>
    internal int DecodeCount { get; private set; }

    internal int TokenCount { get; private set; }

    internal ReadOnlySpan<BatchEntry> Entries => entries.AsSpan(0, Count);

    /// <summary>
    /// Nobody waits for any result of this batch any more. A runner may look between layers of a long step and give up with
    /// <see cref="OperationCanceledException"/>.
    /// </summary>
    internal bool IsAbandoned
    {
        get
        {
            foreach (ref readonly var entry in Entries)
            {
                if (!entry.Sequence.IsCancelled)
                    return false;
            }
            return true;
        }
    }

    internal void Clear()
    {
        // References are dropped too, so that an idle engine keeps no finished sequence alive.
        Array.Clear(entries, 0, Count);
        (Count, DecodeCount, TokenCount) = (0, 0, 0);
    }

    internal void Add(BatchEntry entry)
    {
        if (entry.Count == 1)
        {
            if (DecodeCount != Count)
                throw new InvalidOperationException("Single tokens come before chunks.");
            DecodeCount++;
        }
        entries[Count++] = entry;
        TokenCount += entry.Count;
    }
}
