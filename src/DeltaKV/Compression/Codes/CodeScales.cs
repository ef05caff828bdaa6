namespace DeltaKV.Compression.Codes;

/// <summary>Where the quantisation step of integer dimensions comes from.</summary>
internal enum CodeScales
{
    /// <summary>It is folded into the matrices: calibrated ranges, nothing stored. Values are -128..127, -8..7, -4..3, or -1.5..1.5 in steps of 1.</summary>
    Static,

    /// <summary>One (step, zero) pair of halves per token over all its integer chunks, which then have one width.</summary>
    PerToken,

    /// <summary>One (step, zero) pair of halves per token and chunk.</summary>
    PerChunk,
}
