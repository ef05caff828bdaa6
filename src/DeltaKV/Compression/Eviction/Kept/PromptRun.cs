namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>A prompt's tiles in a step.</summary>
/// <param name="Sequence">Whose.</param>
/// <param name="Row">Its row of the tables.</param>
/// <param name="Length">Its tokens, the new ones included.</param>
/// <param name="FirstTile">Its first tile.</param>
/// <param name="Tiles">How many.</param>
/// <param name="IsRaw">Nothing of it is coded, nor will be before its end.</param>
internal readonly record struct PromptRun(EvictingSequence Sequence, int Row, int Length, int FirstTile, int Tiles, bool IsRaw)
{
    /// <summary>Blocks of 64 slots of a layer, from its first token on.</summary>
    internal int Blocks(int layer) => EvictionFormat.Blocks(Length) - (Sequence.Layers[layer].Start / EvictionFormat.BlockTokens);
}
