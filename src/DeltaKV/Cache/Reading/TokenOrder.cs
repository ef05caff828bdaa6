using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>
/// The tokens that a query reads, as 16-token tiles: coded ones first (all, or those selected), then the raw ones. A tile is coded or raw as a whole.
/// </summary>
/// <param name="bounds">Per sequence <c>[sequences]</c>.</param>
/// <param name="selected">Selected coded tokens or pages, ascending <c>[sequences, heads, stride]</c>, or an empty view: all are read.</param>
/// <param name="selectedCounts">How many are selected <c>[sequences, heads]</c>; negative: all coded tokens are read.</param>
/// <param name="selectedStride">Entries of a list.</param>
/// <param name="selectedHeads">Lists of a sequence: 1, which all heads read, or one per key/value head.</param>
/// <param name="selectedShift">Binary logarithm of the tokens that an entry stands for: 0 for tokens, 4 for pages of 16.</param>
/// <param name="windowHeads">Key/value heads that read raw tokens alone, a bit each.</param>
/// <param name="starts">First slot that is read <c>[sequences]</c>, where something was deleted; an empty view: all from 0 on.</param>
internal readonly struct TokenOrder(
    ArrayView<ReadBounds> bounds,
    ArrayView<int> selected,
    ArrayView<int> selectedCounts,
    int selectedStride,
    int selectedHeads = 1,
    int selectedShift = 0,
    ulong windowHeads = 0,
    ArrayView<int> starts = default)
{
    /// <summary>Per sequence.</summary>
    public readonly ArrayView<ReadBounds> Bounds = bounds;

    /// <summary>Selected tokens or pages.</summary>
    public readonly ArrayView<int> Selected = selected;

    /// <summary>How many are selected.</summary>
    public readonly ArrayView<int> SelectedCounts = selectedCounts;

    /// <summary>Entries of a list.</summary>
    public readonly int SelectedStride = selectedStride;

    /// <summary>Lists of a sequence.</summary>
    public readonly int SelectedHeads = selectedHeads;

    /// <summary>Binary logarithm of the tokens of an entry.</summary>
    public readonly int SelectedShift = selectedShift;

    /// <summary>Key/value heads that read raw tokens alone, a bit each.</summary>
    public readonly ulong WindowHeads = windowHeads;

    /// <summary>First slots that are read.</summary>
    public readonly ArrayView<int> Starts = starts;

    /// <summary>Everything is read.</summary>
    public static TokenOrder All(ArrayView<ReadBounds> bounds) => new(bounds, default, default, 0);

    /// <summary>The same order in a layer of which some heads keep no history.</summary>
    public TokenOrder WithWindowHeads(ulong heads) => new(Bounds, Selected, SelectedCounts, SelectedStride, SelectedHeads, SelectedShift, heads, Starts);

    /// <summary>Whether a key/value head reads coded tokens at all.</summary>
    public bool ReadsHistory(int head) => (WindowHeads >> head & 1) == 0;

    /// <summary>How many tokens of a sequence are selected for a key/value head; -1: all.</summary>
    public int SelectedOf(int sequence, int head)
    {
        if (!ReadsHistory(head))
            return 0;
        if (SelectedCounts.Length == 0)
            return -1;
        var count = SelectedCounts[ListOf(sequence, head)];
        return count < 0 ? -1 : count << SelectedShift;
    }

    /// <summary>The first slot that is read of a sequence.</summary>
    public int StartOf(int sequence) => Starts.Length == 0 ? 0 : Starts[sequence];

    /// <summary>How many raw tokens of a sequence of that length are read.</summary>
    public int RawCount(int sequence, ReadBounds limits, int length) => length - limits.CodedEnd + limits.CodedStart - StartOf(sequence);

    /// <summary>The position at an index of a tile, or -1 past the end.</summary>
    /// <param name="sequence">Row of the tables.</param>
    /// <param name="head">Key/value head.</param>
    /// <param name="limits">The sequence's bounds.</param>
    /// <param name="selectedCount">What <see cref="SelectedOf"/> said.</param>
    /// <param name="codedCount">Coded tokens that are read.</param>
    /// <param name="length">Tokens of the sequence that may be read.</param>
    /// <param name="isCoded">Whether the tile is a coded one.</param>
    /// <param name="index">The token's number among the coded, or among the raw ones.</param>
    public int PositionAt(int sequence, int head, ReadBounds limits, int selectedCount, int codedCount, int length, bool isCoded, int index)
    {
        if (isCoded)
        {
            var coded = limits.CodedStart + index;
            if (selectedCount >= 0)
            {
                var entry = Selected[(ListOf(sequence, head) * SelectedStride) + (Math.Min(index, Math.Max(codedCount - 1, 0)) >> SelectedShift)];
                coded = (entry << SelectedShift) + (index & ((1 << SelectedShift) - 1));
            }

            return index < codedCount ? coded : -1;
        }

        var raw = StartOf(sequence) + index;
        raw = raw < limits.CodedStart ? raw : limits.CodedEnd - limits.CodedStart + raw;
        return raw < length ? raw : -1;
    }

    private int ListOf(int sequence, int head) => (sequence * SelectedHeads) + (SelectedHeads == 1 ? 0 : head);
}
