using DeltaKV.Cache.Selection;

namespace DeltaKV.Compression.Quest;

/// <summary>What a decode step reads.</summary>
internal sealed record QuestOptions
{
    /// <summary>Tokens, or the share of tokens, of whole pages that are read, besides the newest page.</summary>
    public SelectionBudget Budget { get; init; } = new(1024, 0);

    /// <summary>First layers that read everything: their attention is spread too evenly for pages.</summary>
    public int DenseLayers { get; init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(DenseLayers), value, "A number of layers is not negative."); } = 2;
}
