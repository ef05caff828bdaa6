using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Hot;

/// <summary>Which tokens of which sequence are in which slots, for one group of layers that read the same tokens; and what a step decided. On the device.</summary>
internal struct HotMaps
{
    /// <summary>Place of a sequence among those that own slots, by row of the tables.</summary>
    public ArrayView<int> Places;

    /// <summary>Slot of a position; -1: none <c>[places, tokens]</c>.</summary>
    public ArrayView<int> SlotOf;

    /// <summary>Tokens of a row of <see cref="SlotOf"/>.</summary>
    public int TokenStride;

    /// <summary>Position in a slot; -1: none <c>[places, slots]</c>.</summary>
    public ArrayView<int> PositionOf;

    /// <summary>The plan that last selected what is in a slot <c>[places, slots]</c>.</summary>
    public ArrayView<int> LastPlan;

    /// <summary>Plans made so far <c>[places]</c>.</summary>
    public ArrayView<int> Plans;

    /// <summary>Slots of a sequence.</summary>
    public int Slots;

    /// <summary>Slots of the selected tokens, in their order <c>[sequences, stride]</c>.</summary>
    public ArrayView<int> Lists;

    /// <summary>Numbers of selected tokens <c>[sequences]</c>.</summary>
    public ArrayView<int> Counts;

    /// <summary>Positions that are not in their slots yet <c>[sequences, stride]</c>.</summary>
    public ArrayView<int> MissPositions;

    /// <summary>The slots that they get <c>[sequences, stride]</c>.</summary>
    public ArrayView<int> MissSlots;

    /// <summary>Numbers of those <c>[sequences]</c>.</summary>
    public ArrayView<int> MissCounts;

    /// <summary>Entries of a list.</summary>
    public int ListStride;

    /// <summary>Selected tokens so far, and those of them that were found.</summary>
    public ArrayView<int> Totals;
}
