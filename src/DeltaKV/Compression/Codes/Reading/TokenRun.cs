using DeltaKV.Cache.Reading;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>The coded tokens that a head of a sequence reads: all, one after the other, or those of a list.</summary>
/// <param name="order">Which tokens are read.</param>
/// <param name="sequence">Row of the tables; negative: none is read.</param>
/// <param name="head">Key/value head.</param>
internal readonly struct TokenRun(TokenOrder order, int sequence, int head)
{
    private readonly TokenOrder order = order;
    private readonly ReadBounds limits = order.Bounds[Math.Max(sequence, 0)];
    private readonly int selected = order.SelectedOf(Math.Max(sequence, 0), head);
    private readonly int head = head;

    /// <summary>Row of the tables; negative: none is read.</summary>
    public readonly int Sequence = sequence;

    /// <summary>Slot of the first token, if they follow each other.</summary>
    public int Start => limits.CodedStart;

    /// <summary>Whether they follow each other.</summary>
    public bool IsContiguous => selected < 0;

    /// <summary>Number of tokens.</summary>
    public int Count => Sequence < 0 ? 0 : selected < 0 ? limits.CodedEnd - limits.CodedStart : selected;

    /// <summary>The slot of a token, its position where nothing was moved, or -1 past the end.</summary>
    public int SlotAt(int index) => order.PositionAt(Sequence, head, limits, selected, Count, int.MaxValue, true, index);
}
