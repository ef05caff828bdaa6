using DeltaKV.Gpu;

namespace DeltaKV.Cache.Reading;

/// <summary>
/// The tokens that a query reads, as 16-token tiles: coded ones first (all, or those selected), then the raw ones. A tile is coded or raw as a whole.
/// </summary>
/// <param name="bounds">Per sequence <c>[sequences]</c>.</param>
/// <param name="selected">Positions of selected coded tokens, ascending <c>[sequences, stride]</c>, or an empty view: all are read.</param>
/// <param name="selectedCounts">How many are selected <c>[sequences]</c>; negative: all coded tokens are read.</param>
/// <param name="selectedStride">Entries of a row of <paramref name="selected"/>.</param>
internal readonly struct TokenOrder(ArrayView<ReadBounds> bounds, ArrayView<int> selected, ArrayView<int> selectedCounts, int selectedStride)
{
    /// <summary>Per sequence.</summary>
    public readonly ArrayView<ReadBounds> Bounds = bounds;

    /// <summary>Positions of selected coded tokens.</summary>
    public readonly ArrayView<int> Selected = selected;

    /// <summary>How many are selected.</summary>
    public readonly ArrayView<int> SelectedCounts = selectedCounts;

    /// <summary>Entries of a row of the selection.</summary>
    public readonly int SelectedStride = selectedStride;

    /// <summary>How many tokens of a sequence are selected; -1: all.</summary>
    public int SelectedOf(int sequence) => SelectedCounts.Length == 0 ? -1 : SelectedCounts[sequence];

    /// <summary>The position at an index of a tile, or -1 past the end.</summary>
    /// <param name="sequence">Row of the tables.</param>
    /// <param name="limits">The sequence's bounds.</param>
    /// <param name="selectedCount">What <see cref="SelectedOf"/> said.</param>
    /// <param name="codedCount">Coded tokens that are read.</param>
    /// <param name="length">Tokens of the sequence that may be read.</param>
    /// <param name="isCoded">Whether the tile is a coded one.</param>
    /// <param name="index">The token's number among the coded, or among the raw ones.</param>
    public int PositionAt(int sequence, ReadBounds limits, int selectedCount, int codedCount, int length, bool isCoded, int index)
    {
        if (isCoded)
        {
            var coded = selectedCount < 0 ? limits.CodedStart + index : Selected[(sequence * SelectedStride) + Math.Min(index, Math.Max(codedCount - 1, 0))];
            return index < codedCount ? coded : -1;
        }

        var raw = index < limits.CodedStart ? index : limits.CodedEnd - limits.CodedStart + index;
        return raw < length ? raw : -1;
    }
}
