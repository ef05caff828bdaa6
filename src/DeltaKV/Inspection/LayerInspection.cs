namespace DeltaKV.Inspection;

/// <summary>What one layer's keys and values are like.</summary>
internal sealed record LayerInspection
{
    /// <summary>The layer.</summary>
    public required int Layer { get; init; }

    /// <summary>Length of a head's key, over tokens and heads: mean, 1st and 99th percentile. RoPE does not change it.</summary>
    public required Spread KeyNorm { get; init; }

    /// <summary>The same of values.</summary>
    public required Spread ValueNorm { get; init; }

    /// <summary>Channels of keys before RoPE, after a key norm.</summary>
    public required ChannelSummary Keys { get; init; }

    /// <summary>Channels of keys after RoPE.</summary>
    public required ChannelSummary RotatedKeys { get; init; }

    /// <summary>Channels of values.</summary>
    public required ChannelSummary Values { get; init; }

    /// <summary>Keys before RoPE and values together: variances along principal axes, as shares.</summary>
    public required IReadOnlyList<double> Spectrum { get; init; }

    /// <summary>Axes that variance is spread over.</summary>
    public required double EffectiveRank { get; init; }

    /// <summary>Axes that hold 90 % of the variance.</summary>
    public required int Axes90 { get; init; }

    /// <summary>Axes that hold 99 % of the variance.</summary>
    public required int Axes99 { get; init; }

    /// <summary>What is left after the mean of the nearest references is taken away: variances along its own axes, as shares of the whole variance before.</summary>
    public required IReadOnlyList<double> ResidualSpectrum { get; init; }

    /// <summary>Axes that the residual is spread over.</summary>
    public required double ResidualEffectiveRank { get; init; }

    /// <summary>Distance from a token's kv to the mean of all, over tokens that are no references.</summary>
    public required Spread DistanceToMean { get; init; }

    /// <summary>Distance to the nearest reference before it.</summary>
    public required Spread DistanceToNearest { get; init; }

    /// <summary>Distance to the mean of the k nearest.</summary>
    public required Spread DistanceToReferences { get; init; }

    /// <summary>Bits a token's kv takes, at least, for a squared error of 1 % of the variance, when the mean is taken away.</summary>
    public required double Bits { get; init; }

    /// <summary>The same, for the same error, when the mean of the nearest references is.</summary>
    public required double ResidualBits { get; init; }
}
