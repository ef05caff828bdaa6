using System.Runtime.InteropServices;
using DeltaKV.Cache;

namespace DeltaKV.Compression.Eviction;

/// <summary>What one sequence owns of an evicting cache.</summary>
/// <remarks>
/// Evicted from when its prompt is complete, and later only if its policy says so or a continued prompt has grown well beyond the budget: see <see cref="EvictionPlan"/>. If kept
/// tokens are coded, a prompt that will be evicted from stays raw until its end; everything else is coded as it leaves the window.
/// </remarks>
internal sealed class EvictingSequence(EvictingKvCache owner) : ISequenceCache
{
    private readonly EvictionFormat format = owner.Format;
    private readonly EvictionPlan plan = new(owner.Format);
    private readonly PromptProbe probe = new(owner.Format.Probing);
    private readonly SequenceLayers layers = new(owner);
    private readonly SpareBlocks spares = new(owner);
    private readonly QueryPlace queries = new(owner);
    private readonly List<int> tokens = [];
    private bool admitted;
    private bool isEvicting;

    public int Length { get; private set; }

    /// <summary>The tables are uploaded layer by layer; nobody else needs blocks of this cache.</summary>
    public BlockTable Blocks { get; } = new();

    public KvUsage Usage => owner.UsageOf(Length, layers.Held + spares.RawCount, kind => layers.HeldCodes(kind) + spares.CodedCount(kind), MetadataBytes);

    /// <inheritdoc/>
    public int StepLimit => IsProbing ? int.MaxValue : Math.Max(1, plan.NextBorder(Length, Layers) - Length);

    /// <inheritdoc/>
    public ReadOnlySpan<int> Probe => probe.Left;

    /// <summary>Whether the next tokens are a probe's.</summary>
    internal bool IsProbing => probe.IsReading;

    /// <summary>The first token that has received no attention that counts.</summary>
    internal int FreshFrom => format.Probing is null ? Length : probe.IsFresh(EvictedEnd) ? EvictedEnd : int.MaxValue;

    /// <summary>Where every token lives, layer by layer.</summary>
    internal LayerBlocks[] Layers => layers.All;

    /// <summary>Block numbers, a start and coded bounds per layer, and queries that wait for the end of the prompt.</summary>
    internal long MetadataBytes => layers.TableBytes + (QuerySlot < 0 ? 0 : format.QueryBytes);

    /// <summary>The length of the prompt.</summary>
    internal int PromptLength => plan.PromptLength;

    /// <summary>The length at the last eviction; 0: everything is there.</summary>
    internal int EvictedEnd { get; private set; }

    /// <summary>Ids of the tokens computed so far.</summary>
    internal ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(tokens);

    /// <summary>Where this prompt's last queries are kept; -1: nowhere.</summary>
    internal int QuerySlot => queries.Slot;

    /// <summary>Position of the first query that is kept there.</summary>
    internal int FirstQuery => queries.First;

    /// <summary>Changes with the map.</summary>
    internal long Version { get; private set; } = owner.NextVersion();

    /// <summary>Row of the tables in the last prepared step; -1: it was not in it.</summary>
    internal int Row { get; set; } = -1;

    /// <summary>Whether nothing is coded, nor will be before the prompt's end.</summary>
    internal bool IsRaw => !IsCoding && !layers.HasCodes;

    /// <summary>Whether tokens wait uncoded for the eviction at the prompt's end.</summary>
    private bool StaysRaw => !plan.IsPromptDone && MustEvict(PromptLength);

    /// <summary>Whether tokens are coded as they leave the window.</summary>
    private bool IsCoding => format.Kept is not null && !probe.HasPart && !StaysRaw;

    public bool TryAdmit(ReadOnlySpan<int> tokens)
    {
        if (admitted)
            throw new InvalidOperationException("The sequence is admitted already.");
        ArgumentOutOfRangeException.ThrowIfZero(tokens.Length, nameof(tokens));
        plan.Begin(tokens);
        plan.IsPromptDone = false;
        var (snapshot, agreeing) = owner.FindSnapshot(tokens[..^1]);
        if (snapshot is not null && StartOf(snapshot, agreeing) is > 0 and var common)
        {
            // Others give room back when they end: waiting for it is cheaper than to forget the very snapshot that is to be taken over whole.
            var evicts = plan.MustEvict(PromptLength, snapshot.Layers, snapshot.EvictedEnd);
            var behind = owner.WithOthers(layers.Behind(snapshot, common, tokens.Length, evicts ? plan.Budgets : null), owner.Admitted.Count);
            if (!owner.TryFree(behind, snapshot) && owner.Admitted.Count > 0 && common == snapshot.Tokens.Length)
                return false;
            if (layers.TryTakeOver(snapshot, common))
            {
                this.tokens.AddRange(tokens[..common]);
                (Length, EvictedEnd) = (common, snapshot.EvictedEnd);
                Version = owner.NextVersion();
            }
        }

        admitted = true;
        owner.Add(this);
        plan.IsPromptDone = Length > 0 && Length >= PromptLength;

        // The whole prompt must fit now. Others may each need a block of every layer.
        var fits = owner.TryFree(owner.WithOthers(layers.ForPrompt(tokens.Length, StaysRaw ? plan.Budgets : null), owner.Admitted.Count - 1))
            && (format.Window == 0 || !StaysRaw || queries.TryTake(Length, PromptLength));
        if (!fits)
            LetGo(keeps: false);
        return fits;
    }

    public bool TryReserve(int tokens)
    {
        var length = Length + tokens;
        var need = layers.Missing(length, IsCoding);
        var spare = SparesFor(length);
        if (!owner.TryFree(need.Plus(spares.Missing(spare))))
            return false;
        spares.Fill(spare);
        if (need.IsNone)
            return true;
        layers.Extend(length, IsCoding);
        Version = owner.NextVersion();
        return true;
    }

    public void Commit(ReadOnlySpan<int> history)
    {
        var room = Layers[0].Blocks.Count * EvictionFormat.BlockTokens;
        if (history.Length < Length || history.Length > room)
            throw new ArgumentException($"{history.Length} tokens are committed to room for {room} that holds {Length}.", nameof(history));
        tokens.AddRange(history[tokens.Count..]);
        Length = history.Length;
    }

    public void CommitProbe(int tokens)
    {
        probe.Read(tokens);
        Length += tokens;
    }

    public void Release()
    {
        if (admitted)
            LetGo(keeps: true);
    }

    /// <summary>Decides what is evicted after the step just committed, takes the blocks for what stays and lets go of the others; stream order makes their reuse safe.</summary>
    internal void CollectEvictions(List<EvictionJob> jobs)
    {
        if (Row < 0 || Length < PromptLength || IsProbing)
            return;
        var mustEvict = !probe.HasPart && MustEvict(Length);
        isEvicting = probe.HasPart ? EndsProbing() : mustEvict && format.Probing is null;
        plan.IsPromptDone = true;
        if (mustEvict && format.Probing is not null)
            probe.Begin(Tokens, EvictedEnd);

        if (!isEvicting)
        {
            queries.Return();
            if (!IsProbing)
                spares.Return();
            return;
        }

        layers.Evict(this, plan.Budgets, spares, jobs);
        Version = owner.NextVersion();
    }

    /// <summary>The jobs are on their way.</summary>
    internal void FinishEvictions()
    {
        if (!isEvicting)
            return;
        isEvicting = false;
        EvictedEnd = Length;
        queries.Return();
        spares.Return();
    }

    /// <summary>Adds what has left the window; a sequence that has just been evicted from, whose tables are old, waits for the next step.</summary>
    internal void CollectCoding(List<CodingRange> ranges)
    {
        if (IsCoding && !isEvicting && Row >= 0 && layers.Code(Row, Length, ranges))
            Version = owner.NextVersion();
    }

    /// <summary>The ranges are on their way: lets go of the raw blocks; stream order makes their reuse safe.</summary>
    internal void FinishCoding() => layers.ReleaseCoded();

    private void LetGo(bool keeps)
    {
        admitted = false;
        owner.Remove(this);
        ForgetProbe();
        if (keeps && Length > 0)
            owner.Keep(new EvictionSnapshot([.. tokens], EvictedEnd, Layers, format));
        layers.Release();
        spares.Return();
        queries.Return();
        tokens.Clear();
        (Length, EvictedEnd, Row, plan.IsPromptDone, isEvicting) = (0, 0, -1, false, false);
        Version = owner.NextVersion();
    }

    private bool MustEvict(int length) => plan.MustEvict(length, Layers, EvictedEnd);

    /// <summary>A part has been repeated: forgets it, and begins the next or says how much every layer keeps.</summary>
    private bool EndsProbing()
    {
        ForgetProbe();
        if (probe.Continue(Tokens))
            return false;
        var kept = format.Probing!.Distribute(owner.Store.CountMarks(Row, Length), format.Shape.KeyHeads, PromptLength);
        kept.CopyTo(plan.Budgets, 0);
        return true;
    }

    /// <summary>Takes the probe's tokens out again.</summary>
    private void ForgetProbe()
    {
        if (!probe.HasPart)
            return;
        Length -= probe.Done;
        probe.Forget();
        layers.Trim(Length);
        Version = owner.NextVersion();
    }

    /// <summary>Blocks that the eviction at the end of a step needs before it gives any back.</summary>
    private BlockNeed SparesFor(int length)
    {
        // A probe's end frees the probe's blocks, but which layer keeps how much is not known before.
        if (format.Probing is not null)
            return IsProbing ? layers.NeedAfterProbe(format.Probing, plan) : owner.Nothing();
        return MustEvict(length) ? layers.NeedToEvict(length, plan.Budgets) : owner.Nothing();
    }

    /// <summary>How much of what a snapshot and the prompt agree in can be taken over.</summary>
    private int StartOf(EvictionSnapshot snapshot, int common)
    {
        // The prompt must end here, and the queries that rank it must be computed.
        if (snapshot.EvictedEnd < PromptLength)
            common = Math.Min(common, Math.Max(snapshot.EvictedEnd, PromptLength - Math.Max(1, format.Window)));
        return snapshot.Cut(common);
    }
}
