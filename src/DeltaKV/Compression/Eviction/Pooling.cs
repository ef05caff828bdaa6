namespace DeltaKV.Compression.Eviction;

/// <summary>How the scores of neighbouring tokens are brought together before they are ranked.</summary>
public enum Pooling
{
    /// <summary>The mean, zeros beyond the ends.</summary>
    Average,

    /// <summary>The largest.</summary>
    Max,
}
