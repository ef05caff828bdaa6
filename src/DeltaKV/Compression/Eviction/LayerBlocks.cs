namespace DeltaKV.Compression.Eviction;

/// <summary>Where the tokens of one layer of a sequence are: slots from <see cref="Start"/> to its length, in blocks of 64.</summary>
/// <remarks>A token is appended at the slot of its position. Eviction moves the tokens kept up to the newest, so that the slots below become free.</remarks>
internal sealed class LayerBlocks
{
    /// <summary>An entry below the start.</summary>
    internal const int None = -1;

    /// <summary>Block numbers by slot / 64; <see cref="None"/> below the start.</summary>
    internal List<int> Blocks { get; } = [];

    /// <summary>The first slot that holds a token.</summary>
    internal int Start { get; set; }

    /// <summary>Blocks that are there.</summary>
    internal int Held => Blocks.Count - FirstBlock;

    /// <summary>The first entry that is a block.</summary>
    internal int FirstBlock => Math.Min(Start / EvictionFormat.BlockTokens, Blocks.Count);
}
