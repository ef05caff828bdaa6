namespace DeltaKV.Compression.Eviction;

/// <summary>Which attention ranks the tokens of a layer: softmax probabilities, summed over queries and over the query heads that share a key/value head.</summary>
public sealed record AttentionScoring
{
    /// <summary>The last so many tokens of the prompt ask; null: every token does, prompt and answer, as long as the sequence lives.</summary>
    public int? Window { get; init => field = value is null or (>= 1 and <= 256) ? value : throw new ArgumentOutOfRangeException(nameof(Window), value, $"Window is {value}, expected 1 to 256 tokens."); }

    /// <summary>Neighbours that are pooled, an odd number; 1: none.</summary>
    public int PoolWidth { get; init => field = value is >= 1 and <= 63 && value % 2 == 1 ? value : throw new ArgumentOutOfRangeException(nameof(PoolWidth), value, $"PoolWidth is {value}, expected an odd number from 1 to 63."); } = 1;

    /// <summary>How neighbours are pooled.</summary>
    public Pooling Pooling { get; init; }

    /// <summary>All key/value heads of a layer keep the same tokens; otherwise each its own.</summary>
    public bool SharedByHeads { get; init; }

    /// <summary>Per layer, the query heads that count; null: all.</summary>
    public IReadOnlyList<IReadOnlyList<int>>? QueryHeads { get; init; }
}
