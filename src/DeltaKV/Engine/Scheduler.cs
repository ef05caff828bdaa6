using DeltaKV.Cache;

namespace DeltaKV.Engine;

/// <summary>Decides what every step computes: continuous batching, oldest first.</summary>
/// <remarks>
/// <para>Running sequences that decode get one token each; what is left of the token budget goes to prompts, in chunks. Of several
/// prompts each takes at most half of what is left, so that a short one does not wait for a long one.</para>
/// <para>Memory goes to the oldest: when a block is missing, the youngest running sequence gives all of its blocks back and waits, at its
/// place by arrival, to be computed again. So the oldest always finishes, and nothing is lost but time.</para>
/// </remarks>
internal sealed class Scheduler
{
    // Smaller shares than this would make kernels run for a handful of tokens.
    private const int LeastShare = 32;

    private readonly IKvCache cache;
    private readonly int maxSequences;
    private readonly int maxBatchTokens;
    private readonly SequenceQueue waiting = new();
    private readonly SequenceQueue running = new();
    private readonly Stack<int> freeSlots;
    private readonly ScheduledBatch batch;
    private readonly Action<Sequence> onEnded;
    private long arrivals;
    private bool memoryMayHaveGrown = true;

    /// <param name="cache">Owner of the key/value memory.</param>
    /// <param name="maxSequences">Most sequences running at once.</param>
    /// <param name="maxBatchTokens">Most tokens computed in one step; at least <paramref name="maxSequences"/>.</param>
    /// <param name="onEnded">Told of every sequence that has ended and given its memory back.</param>
    internal Scheduler(IKvCache cache, int maxSequences, int maxBatchTokens, Action<Sequence>? onEnded = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxSequences);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBatchTokens, maxSequences);
        this.cache = cache;
        this.maxSequences = maxSequences;
        this.maxBatchTokens = maxBatchTokens;
        this.onEnded = onEnded ?? (_ => { });
        batch = new ScheduledBatch(maxSequences);
        freeSlots = new Stack<int>(Enumerable.Range(0, maxSequences).Reverse());
    }

    internal int WaitingCount => waiting.Count;

    internal int RunningCount => running.Count;

    internal bool HasWork => waiting.Count + running.Count > 0;

    /// <summary>How often a sequence had to give its memory back and start over.</summary>
    internal long Preemptions { get; private set; }

    internal void Add(Sequence sequence)
    {
        sequence.Arrival = arrivals++;
        sequence.Cache = cache.Open();
        waiting.Insert(sequence);
        memoryMayHaveGrown = true;
    }

    /// <summary>The next batch, valid until the next call; empty when there is nothing to compute.</summary>
    internal ScheduledBatch Next()
    {
        batch.Clear();
        DropCancelled(waiting);
        DropCancelled(running);
        var budget = PlanRunning();
        var preempted = ReserveOldestFirst();
        if (!preempted)
            budget = Admit(budget);
        SpendRest(budget);
        FillBatch();
        return batch;
    }

    /// <summary>Takes over the results of a batch: one token per entry, of which only those of entries that sample count.</summary>
    internal void Commit(ScheduledBatch computed, ReadOnlySpan<int> tokens)
    {
        for (var i = 0; i < computed.Count; i++)
        {
            var entry = computed.Entries[i];
            var sequence = entry.Sequence;
            if (sequence.IsCancelled)
                continue;
            if (entry.IsProbe)
            {
                sequence.Cache.CommitProbe(entry.Count);
                continue;
            }
            var samples = entry.Samples;
            sequence.Cache.Commit(sequence.Tokens[..entry.End]);
            if (entry.Count > 1)
                sequence.ObserveMemory();
            if (!samples)
                continue;
            sequence.Append(tokens[i]);
            if (sequence.Finish is not null)
                End(sequence, running);
        }
        memoryMayHaveGrown |= cache.Flush();
    }

    /// <summary>Ends a sequence with an error and takes its memory back.</summary>
    internal void Fail(Sequence sequence, Exception error)
    {
        if (!sequence.IsEnded)
            End(sequence, sequence.Slot == Sequence.NoSlot ? waiting : running, error);
    }

    /// <summary>Ends everything with an error.</summary>
    internal void FailAll(Exception error)
    {
        while (running.Count > 0)
            Fail(running.Youngest, error);
        while (waiting.Count > 0)
            Fail(waiting.Youngest, error);
    }

    /// <summary>The oldest waiting sequence, which could not be admitted although nothing runs.</summary>
    internal Sequence? Stuck => running.Count == 0 && waiting.Count > 0 ? waiting[0] : null;

    /// <summary>Why a sequence that has the cache to itself cannot go on.</summary>
    internal InsufficientDeviceMemoryException TooLarge(Sequence sequence)
    {
        var usage = sequence.Cache.Usage;
        return new InsufficientDeviceMemoryException(
            $"A sequence of {sequence.Tokens.Length} tokens does not fit into the cache of {cache.CapacityTokens}, although it has it to itself.",
            usage.TotalBytes, cache.Usage.TotalBytes);
    }

    /// <summary>Says how many tokens every running sequence computes; returns what is left of the budget.</summary>
    private int PlanRunning()
    {
        var budget = maxBatchTokens;
        var prompts = 0;
        for (var i = 0; i < running.Count; i++)
        {
            var sequence = running[i];
            sequence.Planned = sequence.Remaining == 1 ? 1 : 0;
            budget -= sequence.Planned;
            prompts += 1 - sequence.Planned;
        }
        var mayAdmit = waiting.Count > 0 && running.Count < maxSequences;
        for (var i = 0; i < running.Count && prompts > 0; i++)
        {
            var sequence = running[i];
            if (sequence.Planned > 0)
                continue;
            prompts--;
            sequence.Planned = Share(sequence.Computable, budget, othersFollow: prompts > 0 || mayAdmit);
            budget -= sequence.Planned;
        }
        return budget;
    }

    private static int Share(int remaining, int budget, bool othersFollow) =>
        Math.Min(remaining, othersFollow ? Math.Min(budget, Math.Max(budget / 2, LeastShare)) : budget);

    /// <summary>Gives every planned sequence its room, preempting younger ones where it is missing; true if any was preempted.</summary>
    private bool ReserveOldestFirst()
    {
        var before = Preemptions;
        for (var i = 0; i < running.Count; i++)
        {
            var sequence = running[i];
            while (sequence.Slot != Sequence.NoSlot && !sequence.Cache.TryReserve(sequence.Planned))
            {
                if (running.Count == 1)
                    End(sequence, running, TooLarge(sequence));
                else
                    Preempt(running.Youngest);
            }
        }
        return Preemptions != before;
    }

    private void Preempt(Sequence sequence)
    {
        Preemptions++;
        sequence.Cache.Release();
        sequence.Planned = 0;
        Leave(sequence, running);
        waiting.Insert(sequence);
    }

    /// <summary>Lets waiting sequences in, oldest first, while slots, budget and memory last.</summary>
    private int Admit(int budget)
    {
        // Without this, a full cache would look up the whole prompt of the first in line again in every step.
        if (!memoryMayHaveGrown)
            return budget;
        while (waiting.Count > 0 && running.Count < maxSequences && budget > 0)
        {
            var sequence = waiting[0];
            if (!sequence.Cache.TryAdmit(sequence.Tokens))
            {
                memoryMayHaveGrown = false;
                break;
            }
            if (sequence.Admissions++ == 0)
                sequence.CachedTokens = sequence.Cache.Length;
            waiting.Remove(sequence);
            running.Insert(sequence);
            sequence.Slot = freeSlots.Pop();

            var othersFollow = waiting.Count > 0 && running.Count < maxSequences;
            sequence.Planned = Share(sequence.Computable, budget, othersFollow);
            if (!sequence.Cache.TryReserve(sequence.Planned))
                sequence.Planned = 0;
            budget -= sequence.Planned;
        }
        return budget;
    }

    /// <summary>What was kept for others and not used goes to the oldest prompts, as far as memory is free.</summary>
    private void SpendRest(int budget)
    {
        for (var i = 0; i < running.Count && budget > 0; i++)
        {
            var sequence = running[i];
            var extra = Math.Min(sequence.Computable - sequence.Planned, budget);
            if (extra == 0 || sequence.Planned == 0 || !sequence.Cache.TryReserve(sequence.Planned + extra))
                continue;
            sequence.Planned += extra;
            budget -= extra;
        }
    }

    private void FillBatch()
    {
        for (var i = 0; i < running.Count; i++)
        {
            if (running[i].Planned == 1)
                batch.Add(new BatchEntry(running[i], running[i].Cache.Length, 1, running[i].IsProbing));
        }
        for (var i = 0; i < running.Count; i++)
        {
            if (running[i].Planned > 1)
                batch.Add(new BatchEntry(running[i], running[i].Cache.Length, running[i].Planned, running[i].IsProbing));
        }
    }

    private void DropCancelled(SequenceQueue queue)
    {
        for (var i = queue.Count - 1; i >= 0; i--)
        {
            if (queue[i].IsCancelled)
                End(queue[i], queue);
        }
    }

    private void End(Sequence sequence, SequenceQueue queue, Exception? error = null)
    {
        sequence.End(error);
        sequence.Cache.Release();
        Leave(sequence, queue);
        onEnded(sequence);
    }

    private void Leave(Sequence sequence, SequenceQueue queue)
    {
        queue.Remove(sequence);
        memoryMayHaveGrown = true;
        if (sequence.Slot == Sequence.NoSlot)
            return;
        freeSlots.Push(sequence.Slot);
        sequence.Slot = Sequence.NoSlot;
    }
}
