using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Selection;

/// <summary>What the kernels that select tokens take.</summary>
internal struct TopTokensArguments
{
    /// <summary>Sequence and position of every row.</summary>
    public TokenRows Rows;

    /// <summary>Coded ranges by sequence.</summary>
    public ArrayView<ReadBounds> Bounds;

    /// <summary>Bits of the scores <c>[rows, heads, stride]</c>.</summary>
    public ArrayView<uint> Scores;

    /// <summary>Entries of a list of scores.</summary>
    public int ScoreStride;

    /// <summary>Where positions, or numbers of pages, go <c>[sequences, heads, stride]</c>.</summary>
    public ArrayView<int> Lists;

    /// <summary>Entries of a list of them.</summary>
    public int ListStride;

    /// <summary>Where counts go <c>[sequences, heads]</c>.</summary>
    public ArrayView<int> Counts;

    /// <summary>Candidates: numbers of tokens and bits of their scores, slice by slice <c>[rows, heads, ScoreStride]</c>.</summary>
    public ArrayView<UInt2> Candidates;

    /// <summary>Candidates of the slices, the least leading bits that they have, and how many are wanted of those that have them <c>[rows, heads, slices + 2]</c>.</summary>
    public ArrayView<int> CandidateCounts;

    /// <summary>How many scores have which leading bits <c>[rows, heads, buckets]</c>; zeros between launches.</summary>
    public ArrayView<int> Histograms;

    /// <summary>Items that a list selects at least.</summary>
    public int Items;

    /// <summary>Share of the items that it selects at least.</summary>
    public float Share;

    /// <summary>Binary logarithm of the tokens of an item.</summary>
    public int Shift;

    /// <summary>Items of a sequence.</summary>
    public int TokensOf(ReadBounds limits) => (limits.CodedEnd - limits.CodedStart) >> Shift;

    /// <summary>How many of so many items are selected.</summary>
    public int Wanted(int count) => Math.Min(Math.Max(Math.Max(Items, 1), (int)(Share * count)), ListStride);
}
