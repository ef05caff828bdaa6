using System.Runtime.InteropServices;
using DeltaKV.Cache;

namespace DeltaKV.Compression.Eviction;

/// <summary>What one sequence owns of an evicting cache.</summary>
/// <remarks>
/// Evicted from when its prompt is complete, and later only if its policy says so or a continued prompt has grown well beyond the budget. The prompt is what was admitted
/// first: a sequence computed again after preemption is evicted from at the same length, for <see cref="StepLimit"/> ends a step there.
/// </remarks>
internal sealed class EvictingSequence(EvictingKvCache owner) : ISequenceCache
{
    private const int BlockTokens = EvictionFormat.BlockTokens;

    /// <summary>A policy that keeps its budget while decoding evicts when so many tokens are there beyond it.</summary>
    private const int DecodingSlack = BlockTokens;

    /// <summary>A prompt that continues from what was kept is left alone until so many tokens are there beyond its budget.</summary>
    private const int ContinuingSlack = 4 * BlockTokens;

    private readonly EvictionFormat format = owner.Format;
    private readonly List<int> tokens = [];
    private readonly List<int> spares = [];
    private readonly int[] budgets = new int[owner.Format.LayerCount];
    private int[] prompt = [];
    private int[] probe = [];
    private int probed;
    private int probeDone;
    private bool isPromptDone;
    private bool admitted;
    private bool isEvicting;

    public int Length { get; private set; }

    /// <summary>The tables are uploaded layer by layer; nobody else needs blocks of this cache.</summary>
    public BlockTable Blocks { get; } = new();

    public KvUsage Usage => owner.UsageOf(Length, Layers.Sum(layer => (long)layer.Held) + spares.Count, MetadataBytes);

    /// <inheritdoc/>
    public int StepLimit => IsProbing ? int.MaxValue : Math.Max(1, NextBorder() - Length);

    /// <inheritdoc/>
    public ReadOnlySpan<int> Probe => probe.AsSpan(probeDone);

    /// <summary>Whether the next tokens are a probe's.</summary>
    internal bool IsProbing => probe.Length > probeDone;

    /// <summary>The first token that has received no attention that counts.</summary>
    internal int FreshFrom => format.Probing is null ? Length : probeDone == 0 && probed == EvictedEnd ? EvictedEnd : int.MaxValue;

    /// <summary>Where every token lives, layer by layer.</summary>
    internal LayerBlocks[] Layers { get; private set; } = NewLayers(owner.Format.LayerCount);

    /// <summary>Block numbers, a start per layer, and queries that wait for the end of the prompt.</summary>
    internal long MetadataBytes =>
        Layers.Sum(layer => (layer.Blocks.Count + 1L) * sizeof(int)) + (QuerySlot < 0 ? 0 : format.QueryBytes);

    /// <summary>The length of the prompt.</summary>
    internal int PromptLength => prompt.Length;

    /// <summary>The length at the last eviction; 0: everything is there.</summary>
    internal int EvictedEnd { get; private set; }

    /// <summary>Ids of the tokens computed so far.</summary>
    internal ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(tokens);

    /// <summary>Where this prompt's last queries are kept; -1: nowhere.</summary>
    internal int QuerySlot { get; private set; } = -1;

    /// <summary>Position of the first query that is kept there.</summary>
    internal int FirstQuery { get; private set; }

    /// <summary>Changes with the map.</summary>
    internal long Version { get; private set; } = owner.NextVersion();

    /// <summary>Row of the tables in the last prepared step; -1: it was not in it.</summary>
    internal int Row { get; set; } = -1;

    public bool TryAdmit(ReadOnlySpan<int> tokens)
    {
        if (admitted)
            throw new InvalidOperationException("The sequence is admitted already.");
        ArgumentOutOfRangeException.ThrowIfZero(tokens.Length, nameof(tokens));
        Begin(tokens);
        var (snapshot, agreeing) = owner.FindSnapshot(tokens[..^1]);
        if (snapshot is not null && StartOf(snapshot, agreeing) is > 0 and var common)
        {
            // Others give room back when they end: waiting for it is cheaper than to forget the very snapshot that is to be taken over whole.
            if (!owner.TryFree(BlocksBehind(snapshot, common, tokens.Length), snapshot) && owner.Admitted.Count > 0 && common == snapshot.Tokens.Length)
                return false;
            StartFrom(snapshot, tokens, common);
        }

        admitted = true;
        owner.Add(this);
        isPromptDone = Length > 0 && Length >= PromptLength;

        // The whole prompt must fit now. Others may each need a block of every layer.
        var need = (owner.Admitted.Count - 1) * format.LayerCount;
        foreach (var layer in Layers)
            need += EvictionFormat.Blocks(tokens.Length) - layer.Blocks.Count;
        var fits = owner.TryFree(need) && TryKeepQueries();
        if (!fits)
            LetGo(keeps: false);
        return fits;
    }

    public bool TryReserve(int tokens)
    {
        var length = Length + tokens;
        var need = 0;
        foreach (var layer in Layers)
            need += EvictionFormat.Blocks(length) - layer.Blocks.Count;
        var spare = SparesFor(length) - spares.Count;
        if (!owner.TryFree(need + Math.Max(spare, 0)))
            return false;
        for (; spare > 0; spare--)
            spares.Add(owner.Pool.Take());
        if (need == 0)
            return true;
        foreach (var layer in Layers)
        {
            while (layer.Blocks.Count < EvictionFormat.Blocks(length))
                layer.Blocks.Add(owner.Pool.Take());
        }

        Version = owner.NextVersion();
        return true;
    }

    public void Commit(ReadOnlySpan<int> history)
    {
        var room = Layers[0].Blocks.Count * BlockTokens;
        if (history.Length < Length || history.Length > room)
            throw new ArgumentException($"{history.Length} tokens are committed to room for {room} that holds {Length}.", nameof(history));
        tokens.AddRange(history[tokens.Count..]);
        Length = history.Length;
    }

    public void CommitProbe(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, Probe.Length);
        probeDone += tokens;
        Length += tokens;
    }

    public void Release()
    {
        if (admitted)
            LetGo(keeps: true);
    }

    private void LetGo(bool keeps)
    {
        admitted = false;
        owner.Remove(this);
        ForgetProbe();
        if (keeps && Length > 0)
            owner.Keep(new EvictionSnapshot([.. tokens], EvictedEnd, Layers, format.HasMarks));
        EvictingKvCache.ForEach(Layers, owner.Pool.Release);
        ReturnSpares();
        ReturnQueries();
        Layers = NewLayers(format.LayerCount);
        tokens.Clear();
        (Length, EvictedEnd, Row, isPromptDone, isEvicting) = (0, 0, -1, false, false);
        Version = owner.NextVersion();
    }

    /// <summary>Decides what is evicted after the step just committed, takes the blocks for what stays and lets go of the others; stream order makes their reuse safe.</summary>
    internal void CollectEvictions(List<EvictionJob> jobs)
    {
        if (Row < 0 || Length < PromptLength || IsProbing)
            return;
        var mustEvict = probe.Length == 0 && MustEvict(Length);
        isEvicting = probe.Length > 0 ? EndsProbing() : mustEvict && format.Probing is null;
        isPromptDone = true;
        if (mustEvict && format.Probing is not null)
        {
            probed = EvictedEnd;
            BeginProbe();
        }

        if (!isEvicting)
        {
            ReturnQueries();
            if (!IsProbing)
                ReturnSpares();
            return;
        }

        for (var i = 0; i < Layers.Length; i++)
        {
            var layer = Layers[i];
            if (Length - layer.Start <= budgets[i])
                continue;
            var start = Length - budgets[i];
            var blocks = new int[TargetBlocks(Length, budgets[i])];
            for (var block = 0; block < blocks.Length; block++)
                blocks[block] = TakeSpare();
            jobs.Add(new EvictionJob(this, Row, i, layer.Start, Length, budgets[i], blocks));
            for (var block = layer.FirstBlock; block < layer.Blocks.Count; block++)
                owner.Pool.Release(layer.Blocks[block]);
            layer.Blocks.Clear();
            layer.Blocks.AddRange(Enumerable.Repeat(LayerBlocks.None, start / BlockTokens));
            layer.Blocks.AddRange(blocks);
            layer.Start = start;
        }

        Version = owner.NextVersion();
    }

    /// <summary>The next part of what no eviction has seen yet, behind the instruction.</summary>
    private void BeginProbe()
    {
        var policy = format.Probing!;
        var part = Tokens.Slice(probed, Math.Min(policy.ChunkTokens, Length - probed));
        (probe, probeDone) = ([.. policy.Instruction, .. part], 0);
    }

    /// <summary>A part has been repeated: forgets it, and begins the next or says how much every layer keeps.</summary>
    private bool EndsProbing()
    {
        ForgetProbe();
        probed = Math.Min(Length, probed + format.Probing!.ChunkTokens);
        if (probed < Length)
        {
            BeginProbe();
            return false;
        }

        var kept = format.Probing.Distribute(owner.Store.CountMarks(Row, Length), format.Shape.KeyHeads, PromptLength);
        kept.CopyTo(budgets, 0);
        return true;
    }

    /// <summary>Takes the probe's tokens out again.</summary>
    private void ForgetProbe()
    {
        if (probe.Length == 0)
            return;
        Length -= probeDone;
        (probe, probeDone) = ([], 0);
        foreach (var layer in Layers)
        {
            var end = EvictionFormat.Blocks(Length);
            for (var block = end; block < layer.Blocks.Count; block++)
                owner.Pool.Release(layer.Blocks[block]);
            layer.Blocks.RemoveRange(end, layer.Blocks.Count - end);
        }

        Version = owner.NextVersion();
    }

    /// <summary>The jobs are on their way.</summary>
    internal void FinishEvictions()
    {
        if (!isEvicting)
            return;
        isEvicting = false;
        EvictedEnd = Length;
        ReturnQueries();
        ReturnSpares();
    }

    private static LayerBlocks[] NewLayers(int count) => [.. Enumerable.Range(0, count).Select(_ => new LayerBlocks())];

    /// <summary>Blocks that the slots of the tokens kept touch.</summary>
    private static int TargetBlocks(int length, int keep) => EvictionFormat.Blocks(length) - ((length - keep) / BlockTokens);

    /// <summary>What was admitted before and is admitted again, further on, keeps its prompt.</summary>
    private void Begin(ReadOnlySpan<int> tokens)
    {
        if (prompt.Length == 0 || !tokens.StartsWith(prompt))
            prompt = tokens.ToArray();
        for (var layer = 0; layer < budgets.Length; layer++)
            budgets[layer] = Math.Max(format.Policy.Budget(layer, prompt.Length), format.Policy.Sinks + 1);
    }

    /// <summary>The next length at which a step must end.</summary>
    private int NextBorder()
    {
        if (Length < PromptLength)
            return PromptLength;
        if (!format.Policy.WhileDecoding)
            return int.MaxValue;
        var border = int.MaxValue;
        for (var layer = 0; layer < budgets.Length; layer++)
            border = (int)Math.Min(border, Layers[layer].Start + (long)budgets[layer] + DecodingSlack);
        return border;
    }

    private bool MustEvict(int length)
    {
        if (length < PromptLength || (isPromptDone && !format.Policy.WhileDecoding))
            return false;
        var slack = isPromptDone || format.Policy.WhileDecoding ? DecodingSlack - 1 : ContinuingSlack - 1;
        if (!isPromptDone && EvictedEnd == 0)
            slack = 0;
        for (var layer = 0; layer < budgets.Length; layer++)
        {
            if (length - Layers[layer].Start > (long)budgets[layer] + slack)
                return true;
        }

        return false;
    }

    /// <summary>Blocks that the eviction at the end of a step needs before it gives any back: layer by layer, blocks of one serve the next unless they are shared.</summary>
    private int SparesFor(int length)
    {
        // A probe's end frees the probe's blocks, but which layer keeps how much is not known before.
        if (format.Probing is not null)
            return IsProbing ? TargetBlocks(PromptLength, Math.Min(PromptLength, format.Probing.LargestBudget(PromptLength))) : 0;
        if (!MustEvict(length))
            return 0;
        var (need, free) = (0, 0);
        for (var i = 0; i < Layers.Length; i++)
        {
            var layer = Layers[i];
            if (length - layer.Start <= budgets[i])
                continue;
            var target = TargetBlocks(length, budgets[i]);
            if (target > free)
                (need, free) = (need + target - free, target);
            free -= target;
            for (var block = layer.FirstBlock; block < layer.Blocks.Count; block++)
                free += owner.Pool.IsShared(layer.Blocks[block]) ? 0 : 1;
        }

        return need;
    }

    private int TakeSpare()
    {
        if (spares.Count == 0)
            return owner.Pool.Take();
        var block = spares[^1];
        spares.RemoveAt(spares.Count - 1);
        return block;
    }

    private void ReturnSpares()
    {
        foreach (var block in spares)
            owner.Pool.Release(block);
        spares.Clear();
    }

    /// <summary>Finds a place for the queries that will rank the prompt, if any will.</summary>
    private bool TryKeepQueries()
    {
        if (format.Window == 0 || isPromptDone || !MustEvict(PromptLength))
            return true;
        if (!owner.TryTakeQuerySlot(out var slot))
            return false;
        (QuerySlot, FirstQuery) = (slot, Math.Max(Length, PromptLength - format.Window));
        return true;
    }

    private void ReturnQueries()
    {
        if (QuerySlot >= 0)
            owner.ReturnQuerySlot(QuerySlot);
        QuerySlot = -1;
    }

    /// <summary>How much of what a snapshot and the prompt agree in can be taken over.</summary>
    private int StartOf(EvictionSnapshot snapshot, int common)
    {
        // The prompt must end here, and the queries that rank it must be computed.
        if (snapshot.EvictedEnd < PromptLength)
            common = Math.Min(common, Math.Max(snapshot.EvictedEnd, PromptLength - Math.Max(1, format.Window)));
        return format.HasMarks && common < snapshot.Tokens.Length ? 0 : common;
    }

    /// <summary>Free blocks that a prompt needs which starts from a snapshot; others may each need a block of every layer.</summary>
    private int BlocksBehind(EvictionSnapshot snapshot, int common, int length)
    {
        var need = owner.Admitted.Count * format.LayerCount;
        foreach (var layer in snapshot.Layers)
        {
            var shared = format.HasMarks ? layer.FirstBlock : Math.Max(layer.FirstBlock, common / BlockTokens);
            need += EvictionFormat.Blocks(length) - shared;
        }

        return need;
    }

    /// <summary>Takes over the beginning of a snapshot, if there is room: whole blocks are shared unless their marks go on changing, the last partial ones copied.</summary>
    private void StartFrom(EvictionSnapshot snapshot, ReadOnlySpan<int> tokens, int common)
    {
        var copies = 0;
        foreach (var layer in snapshot.Layers)
            copies += format.HasMarks ? layer.Held : 1;
        if (copies > owner.Pool.FreeCount)
            return;
        for (var i = 0; i < Layers.Length; i++)
        {
            var (source, target) = (snapshot.Layers[i], Layers[i]);
            target.Start = source.Start;
            for (var block = 0; block < EvictionFormat.Blocks(common); block++)
            {
                if (block < source.FirstBlock)
                {
                    target.Blocks.Add(LayerBlocks.None);
                }
                else if ((block + 1) * BlockTokens <= common && !format.HasMarks)
                {
                    owner.Pool.Share(source.Blocks[block]);
                    target.Blocks.Add(source.Blocks[block]);
                }
                else
                {
                    target.Blocks.Add(owner.Pool.Take());
                    owner.Store.CopyBlock(source.Blocks[block], target.Blocks[^1]);
                }
            }
        }

        this.tokens.AddRange(tokens[..common]);
        (Length, EvictedEnd) = (common, snapshot.EvictedEnd);
        Version = owner.NextVersion();
    }
}
