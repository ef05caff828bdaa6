using System.Collections.Immutable;
using DeltaKV.Cache.Selection;

namespace DeltaKV.Compression.OmniKv;

/// <summary>Which layers choose tokens, how many, and what is always read.</summary>
internal sealed record OmniKvOptions
{
    /// <summary>Layers that read everything and choose what the layers after them read.</summary>
    public required ImmutableArray<int> Observers { get; init; }

    /// <summary>Further layers that read everything.</summary>
    public ImmutableArray<int> FullLayers { get; init; } = [];

    /// <summary>How much is chosen.</summary>
    public SelectionBudget Budget { get; init; } = new(2048, 0);

    /// <summary>Whether every key head has a list of its own.</summary>
    public bool PerHead { get; init; }

    /// <summary>Tokens of history that prompt chunks read; a multiple of 16; 0: all.</summary>
    public int PrefillTokens { get; init; }

    /// <summary>First tokens that are always read; a multiple of 16.</summary>
    public int Sinks { get; init; } = 16;

    /// <summary>Newest tokens that are always read, at least.</summary>
    public int Recent { get; init; } = 64;

    /// <summary>Whether a layer reads what an observation layer chose.</summary>
    internal bool Selects(int layer) => !Observers.Contains(layer) && !FullLayers.Contains(layer) && Observers.Any(observer => observer < layer);
}
