namespace DeltaKV.Weights;

/// <summary>Rotary embedding parameters of a model, with the defaults of Transformers already filled in.</summary>
public sealed record RopeParameters
{
    /// <summary>The scaling rule.</summary>
    public RopeType Type { get; init; } = RopeType.Default;

    /// <summary>The base of the frequencies.</summary>
    public double Theta { get; init; } = 10_000;

    /// <summary>By how much the context is stretched; 1 when not scaled.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Tokens of the context before scaling (llama3, yarn).</summary>
    public int OriginalMaxPositions { get; init; }

    /// <summary>llama3: wavelengths above <c>OriginalMaxPositions / LowFrequencyFactor</c> are scaled fully.</summary>
    public double LowFrequencyFactor { get; init; }

    /// <summary>llama3: wavelengths below <c>OriginalMaxPositions / HighFrequencyFactor</c> are not scaled.</summary>
    public double HighFrequencyFactor { get; init; }

    /// <summary>yarn: rotations above which a dimension is kept.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>yarn: rotations below which a dimension is interpolated fully.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>yarn: whether the ends of the ramp are rounded to whole dimensions.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>What cosine and sine are multiplied with (so attention logits are scaled by its square); 1 except for yarn.</summary>
    public double AttentionFactor { get; init; } = 1;
}
