using DeltaKV.Compression.Eviction.Kept;

namespace DeltaKV.Compression.Eviction;

/// <summary>
/// Where the tokens of one layer of a sequence are: slots from <see cref="Start"/> to its length, raw in blocks of 64, of which those from <see cref="CodedStart"/> to
/// <see cref="CodedEnd"/> may be coded instead.
/// </summary>
/// <remarks>A token is appended at the slot of its position. Eviction moves the tokens kept up to the newest, so that the slots below become free.</remarks>
/// <param name="kept">How kept tokens are coded; null: they are not.</param>
/// <param name="kind">Kind of the layer's coded blocks; -1: none.</param>
internal sealed class LayerBlocks(KeptFormat? kept = null, int kind = -1)
{
    /// <summary>An entry without a block.</summary>
    internal const int None = -1;

    private const int BlockTokens = EvictionFormat.BlockTokens;

    /// <summary>Raw blocks by slot / 64; <see cref="None"/> below the start and where all slots are coded.</summary>
    internal List<int> Blocks { get; } = [];

    /// <summary>Coded blocks by slot; <see cref="None"/> below the first coded slot. There may be some already for slots that are still raw.</summary>
    internal List<int> Codes { get; } = [];

    /// <summary>Kind of the coded blocks; -1: the layer stays raw.</summary>
    internal int Kind => kind;

    /// <summary>The first slot that holds a token.</summary>
    internal int Start { get; private set; }

    /// <summary>The first slot that is ever coded.</summary>
    internal int CodedStart { get; private set; } = kind < 0 ? 0 : kept!.CodedStart(0);

    /// <summary>The slot after the last coded one.</summary>
    internal int CodedEnd { get; private set; } = kind < 0 ? 0 : kept!.CodedStart(0);

    /// <summary>Slots below this one hold tokens that an eviction has moved; 0: none was.</summary>
    internal int MovedEnd { get; private set; }

    /// <summary>Raw blocks that are there.</summary>
    internal int Held => Blocks.Count(block => block != None);

    /// <summary>Coded blocks that are there.</summary>
    internal int HeldCodes => Codes.Count(block => block != None);

    /// <summary>The first entry that can be a raw block.</summary>
    internal int FirstBlock => Math.Min(Start / BlockTokens, Blocks.Count);

    /// <summary>The entry of the first coded slot.</summary>
    internal int FirstCode => kind < 0 ? 0 : CodedStart / kept!.BlockTokens;

    /// <summary>Whether anything is coded.</summary>
    internal bool HasCodes => CodedEnd > CodedStart;

    /// <summary>Entries of the tables on the device.</summary>
    internal int Entries => Blocks.Count + Codes.Count;

    /// <summary>Blocks of the slots that are coded.</summary>
    internal int CodedBlocks => kind < 0 ? 0 : (CodedEnd - CodedStart) / kept!.BlockTokens;

    /// <summary>Coded blocks that there are at a length when all is coded that may be.</summary>
    internal int CodesAt(int length) => CodeEntries(length) - FirstCode;

    /// <summary>Coded blocks that are missing for that.</summary>
    internal int MissingCodes(int length) => Math.Max(0, CodeEntries(length) - Math.Max(Codes.Count, FirstCode));

    /// <summary>Raw blocks that are missing for a length.</summary>
    internal int Missing(int length)
    {
        var missing = 0;
        for (var block = Blocks.Count; block < EvictionFormat.Blocks(length); block++)
            missing += HoldsRaw(block) ? 1 : 0;
        return missing;
    }

    /// <summary>Appends raw blocks for a length.</summary>
    internal void Extend(int length, Func<int> take)
    {
        while (Blocks.Count < EvictionFormat.Blocks(length))
            Blocks.Add(HoldsRaw(Blocks.Count) ? take() : None);
    }

    /// <summary>Appends coded blocks for what may be coded at a length.</summary>
    internal void ExtendCodes(int length, Func<int, int> take)
    {
        var missing = MissingCodes(length);
        while (missing > 0 && Codes.Count < FirstCode)
            Codes.Add(None);
        for (; missing > 0; missing--)
            Codes.Add(take(kind));
    }

    /// <summary>Lets go of the raw blocks behind a length.</summary>
    internal void Trim(int length, Action<int> release)
    {
        var end = Math.Min(EvictionFormat.Blocks(length), Blocks.Count);
        for (var block = end; block < Blocks.Count; block++)
            Release(Blocks[block], release);
        Blocks.RemoveRange(end, Blocks.Count - end);
    }

    /// <summary>What may be coded at a length, and has a block, will be: notes it.</summary>
    /// <returns>The slots.</returns>
    internal (int First, int End) Code(int length)
    {
        var first = CodedEnd;
        if (kind >= 0)
            CodedEnd = Math.Max(CodedEnd, Math.Min(kept!.CodedEnd(CodedStart, length), Codes.Count * kept.BlockTokens));
        return (first, CodedEnd);
    }

    /// <summary>Lets go of raw blocks whose slots are all coded.</summary>
    internal void ReleaseCoded(Action<int> release)
    {
        for (var block = FirstBlock; block < Blocks.Count && block * BlockTokens < CodedEnd; block++)
        {
            if (HoldsRaw(block))
                continue;
            Release(Blocks[block], release);
            Blocks[block] = None;
        }
    }

    /// <summary>Lets go of everything.</summary>
    internal void ForEach(Action<int> raw, Action<int, int> coded)
    {
        foreach (var block in Blocks)
            Release(block, raw);
        foreach (var block in Codes)
            Release(block, number => coded(kind, number));
    }

    /// <summary>The layer as it is once it has lost all but so many tokens, without blocks.</summary>
    /// <param name="length">The slot after the last.</param>
    /// <param name="keep">Tokens that stay.</param>
    /// <param name="inPlace">What is coded stays where it is, or is deleted.</param>
    internal LayerBlocks After(int length, int keep, bool inPlace)
    {
        var after = new LayerBlocks(kept, kind) { Start = length - keep, MovedEnd = length };
        if (kind < 0)
            return after;
        after.CodedStart = kept!.CodedStart(after.Start);
        after.CodedEnd = inPlace ? Math.Max(after.CodedStart, CodedEnd) : kept.CodedEnd(after.CodedStart, length);
        return after;
    }

    /// <summary>The layer cut behind a number of slots, without blocks.</summary>
    internal LayerBlocks Cut(int length) => new(kept, kind)
    {
        Start = Start, MovedEnd = MovedEnd, CodedStart = CodedStart, CodedEnd = kind < 0 ? 0 : Math.Clamp(length / kept!.BlockTokens * kept.BlockTokens, CodedStart, CodedEnd),
    };

    /// <summary>Raw blocks that slots from the start to a length take.</summary>
    internal int RawAt(int length)
    {
        var count = 0;
        for (var block = Start / BlockTokens; block < EvictionFormat.Blocks(length); block++)
            count += HoldsRaw(block) ? 1 : 0;
        return count;
    }

    /// <summary>Whether some slot of a raw block is not coded.</summary>
    internal bool HoldsRaw(int block) =>
        (block + 1) * BlockTokens > CodedEnd || (block * BlockTokens < CodedStart && (block + 1) * BlockTokens > Start);

    private int CodeEntries(int length) => kind < 0 ? 0 : kept!.CodedEnd(CodedStart, length) / kept.BlockTokens;

    private static void Release(int block, Action<int> release)
    {
        if (block != None)
            release(block);
    }
}
