using DeltaKV.Compression.CompressKv;
using DeltaKV.Compression.DeltaKv;

namespace DeltaKV.Inspection;

/// <summary>What a model's keys and values are like, and what its heads look at.</summary>
internal sealed record InspectionReport
{
    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>Its shape and weights.</summary>
    public required ModelFingerprint Fingerprint { get; init; }

    /// <summary>What was read.</summary>
    public required string Documents { get; init; }

    /// <summary>Tokens that were read.</summary>
    public required int Tokens { get; init; }

    /// <summary>Every so many tokens one is a reference.</summary>
    public required int ReferenceStride { get; init; }

    /// <summary>Nearest references whose mean is taken.</summary>
    public required int Neighbours { get; init; }

    /// <summary>Layer by layer.</summary>
    public required IReadOnlyList<LayerInspection> Layers { get; init; }

    /// <summary>By observer and follower: the share of the follower's most attended tokens that the observer attends to most as well.</summary>
    public required IReadOnlyList<IReadOnlyList<double>> Overlap { get; init; }

    /// <summary>Retrieval heads and layer errors; null if nobody looked for them.</summary>
    public CompressKvProfile? Retrieval { get; init; }
}
