using System.Runtime.InteropServices;
using DeltaKV.Cache;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Storage;

/// <summary>What one sequence owns of a coded cache.</summary>
internal sealed class CodedSequence(CodedKvCache owner) : ISequenceCache
{
    private const int BlockTokens = CodedKvFormat.BlockTokens;

    private readonly CodedPools pools = owner.Pools;
    private readonly CodedKvFormat format = owner.Format;
    private readonly List<int> tokens = [];
    private bool admitted;
    private int flushEnd;

    public int Length { get; private set; }

    /// <summary>The tables are uploaded pool by pool; nobody else needs blocks of this cache.</summary>
    public BlockTable Blocks { get; } = new();

    public KvUsage Usage => owner.UsageOf(
        Length, Map.Full.Count, Map.WindowCount, Map.Codes.Count(block => block != CodedBlocks.None), Map.References.Count, Map.Entries(format), 1);

    /// <summary>Where every token lives.</summary>
    internal CodedBlocks Map { get; private set; } = new();

    /// <summary>Position of the first token that is ever compressed.</summary>
    internal int CodedStart => format.Options.Sinks;

    /// <summary>Position after the last compressed token; never before the sinks.</summary>
    internal int CodedEnd { get; private set; } = owner.Format.Options.Sinks;

    /// <summary>Ids of the tokens up to the end of the coded part.</summary>
    internal ReadOnlySpan<int> CodedTokens => CollectionsMarshal.AsSpan(tokens)[..Math.Min(CodedEnd, tokens.Count)];

    /// <summary>Place among the sequences that keep tokens reconstructed; -1: none yet.</summary>
    internal int HotPlace { get; set; } = -1;

    /// <summary>Row of the tables in the last prepared step; -1: it was not in it.</summary>
    internal int Row { get; set; } = -1;

    public bool TryAdmit(ReadOnlySpan<int> tokens)
    {
        if (admitted)
            throw new InvalidOperationException("The sequence is admitted already.");
        ArgumentOutOfRangeException.ThrowIfZero(tokens.Length, nameof(tokens));
        var (snapshot, common) = owner.FindSnapshot(tokens[..^1]);
        admitted = true;
        owner.Add(this);
        if (snapshot is not null && TryStartFrom(snapshot, common))
        {
            this.tokens.AddRange(tokens[..common]);
            Length = common;
        }

        // The whole prompt's history must fit now; its raw window is only a step's matter. Others may each need a block of every pool in use.
        var others = owner.Admitted.Count - 1;
        var end = format.CodedEnd(tokens.Length);
        var fits = owner.TryFree(
            FullBlocks(tokens.Length) - Map.Full.Count + (format.RawLayerCount == 0 ? 0 : others),
            Math.Min(owner.Capacity.WindowBlocks, WindowNeed(format.Options.Sinks + format.Options.Recent) + others),
            (end / CodeTokens) - Map.Codes.Count + others,
            ReferenceBlocks(end) - Map.References.Count + (format.HasReferences ? others : 0));
        if (!fits)
            Release();
        return fits;
    }

    public bool TryReserve(int tokens)
    {
        var length = Length + tokens;
        var end = Math.Max(CodedEnd, format.CodedEnd(length));
        var full = FullBlocks(length) - Map.Full.Count;
        var window = WindowNeed(length) - Map.Window.Count;
        var codes = Math.Max(0, (end / CodeTokens) - Math.Max(Map.Codes.Count, format.Options.Sinks / CodeTokens));
        var references = ReferenceBlocks(end) - Map.References.Count;
        if (!owner.TryFree(full, window, codes, references))
            return false;
        Take(pools.Full, Map.Full, full);
        Take(pools.Window, Map.Window, window);
        Map.WindowCount += Math.Max(window, 0);
        // Sinks have no codes.
        while (Map.Codes.Count < format.Options.Sinks / CodeTokens && codes > 0)
            Map.Codes.Add(CodedBlocks.None);
        Take(pools.Codes, Map.Codes, codes);
        Take(pools.References, Map.References, references);
        return true;
    }

    public void Commit(ReadOnlySpan<int> history)
    {
        if (history.Length < Length || history.Length > Map.Window.Count * BlockTokens)
            throw new ArgumentException($"{history.Length} tokens are committed to room for {Map.Window.Count * BlockTokens} that holds {Length}.", nameof(history));
        tokens.AddRange(history[tokens.Count..]);
        Length = history.Length;
    }

    public void Release()
    {
        if (!admitted)
            return;
        admitted = false;
        owner.Remove(this);
        if (Length > 0)
            owner.Keep(new CodedSnapshot([.. tokens], CodedEnd, Map));
        pools.ForEach(Map, (pool, block) => pool.Release(block));
        Map = new CodedBlocks();
        tokens.Clear();
        Length = 0;
        CodedEnd = format.Options.Sinks;
        Row = -1;
        HotPlace = -1;
    }

    /// <summary>Adds the 16-token groups that have left the window.</summary>
    internal void CollectFlush(List<FlushItem> items)
    {
        flushEnd = Row < 0 ? CodedEnd : Math.Max(CodedEnd, format.CodedEnd(Length));
        for (var position = CodedEnd; position < flushEnd; position += BlockTokens)
            items.Add(new FlushItem(Row, position));
    }

    /// <summary>Lets go of the raw blocks that were compressed; stream order makes their reuse safe.</summary>
    internal void FinishFlush()
    {
        for (var block = CodedEnd / BlockTokens; block < flushEnd / BlockTokens; block++)
        {
            pools.Window.Release(Map.Window[block]);
            Map.Window[block] = CodedBlocks.None;
            Map.WindowCount--;
        }

        CodedEnd = Math.Max(CodedEnd, flushEnd);
    }

    private int CodeTokens => format.CodeTokens;

    private static int WindowNeed(int length) => CodedKvFormat.Blocks(length, BlockTokens);

    private static void Take(BlockPool pool, List<int> blocks, int count)
    {
        for (; count > 0; count--)
            blocks.Add(pool.Take());
    }

    private int FullBlocks(int length) => format.RawLayerCount == 0 ? 0 : CodedKvFormat.Blocks(length, KvBlockLayout.Size);

    private int ReferenceBlocks(int end) => CodedKvFormat.Blocks(format.ReferencesBelow(end), BlockTokens);

    /// <summary>Takes over the beginning of a snapshot: whole blocks are shared, the last partial ones copied.</summary>
    private bool TryStartFrom(CodedSnapshot snapshot, int common)
    {
        var sinks = format.Options.Sinks;
        var end = snapshot.CodedEndAt(common, format);
        var source = snapshot.Blocks;
        var references = format.ReferencesBelow(end);
        // At most one copy in each pool.
        if (pools.Full.FreeCount < 1 || pools.Window.FreeCount < 1 || pools.References.FreeCount < 1)
            return false;

        if (format.RawLayerCount > 0)
            pools.Full.TakeOver(source.Full, Map.Full, common, KvBlockLayout.Size, owner.Store.CopyFull);
        // Behind the coded part the snapshot's raw tokens are there, or none is taken over; within it there are none.
        pools.Window.TakeOver(source.Window, Map.Window, common, BlockTokens, owner.Store.CopyWindow);
        Map.WindowCount = Map.Window.Count(block => block != CodedBlocks.None);
        if (end > sinks)
        {
            pools.Codes.TakeOver(source.Codes, Map.Codes, end, CodeTokens, (_, _) => throw new InvalidOperationException("A block of codes is whole."));
            pools.References.TakeOver(source.References, Map.References, references, BlockTokens, owner.Store.CopyReferences);
        }

        CodedEnd = end;
        return true;
    }
}
