namespace DeltaKV.Compression.Codes.Encoding;

/// <summary>A reference found near a token.</summary>
/// <param name="score"><c>2 x.r - |r|^2</c>: larger is nearer.</param>
/// <param name="ordinal">The reference; -1: none.</param>
internal struct Candidate(float score, int ordinal)
{
    /// <summary>Larger is nearer.</summary>
    public float Score = score;

    /// <summary>The reference.</summary>
    public int Ordinal = ordinal;
}
