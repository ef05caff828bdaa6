using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Published;

/// <summary>What a published compressor leaves open; null for what its configuration says, or else what the paper did.</summary>
internal sealed record PublishedChoices
{
    /// <summary>Layers that stay raw; the first does without being named.</summary>
    public IReadOnlyCollection<int>? FullLayers { get; init; }

    /// <summary>References per token.</summary>
    public int? Neighbours { get; init; }

    /// <summary>Bits per latent.</summary>
    public ChunkWidth LatentBits { get; init; } = ChunkWidth.Bits4;

    /// <summary>A step per token as in the paper (two where keys and values are apart, by chunk), or per chunk.</summary>
    public CodeScales? Scales { get; init; }
}
