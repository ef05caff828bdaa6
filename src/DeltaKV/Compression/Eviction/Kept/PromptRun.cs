using DeltaKV.Compression.Codes.Storage;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>A prompt chunk of a step, and what it is a chunk of.</summary>
/// <param name="Span">Its tokens and tiles.</param>
/// <param name="Sequence">Whose.</param>
/// <param name="IsRaw">Nothing of it is coded, nor will be before its end.</param>
internal readonly record struct PromptRun(PromptSpan Span, EvictingSequence Sequence, bool IsRaw)
{
    /// <summary>Blocks of 64 slots of a layer, from its first token on.</summary>
    internal int Blocks(int layer) => EvictionFormat.Blocks(Span.Length) - (Sequence.Layers[layer].Start / EvictionFormat.BlockTokens);
}
