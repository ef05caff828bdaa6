namespace DeltaKV.Compression.Eviction;

/// <summary>A prompt's rows in a step.</summary>
/// <param name="Sequence">Whose.</param>
/// <param name="Row">Its row of the tables.</param>
/// <param name="FirstRow">Its first row in the batch.</param>
/// <param name="Count">Its new tokens.</param>
/// <param name="FirstPosition">The position of the first.</param>
/// <param name="FreshFrom">The first token that has not received any attention yet.</param>
internal readonly record struct PromptRows(EvictingSequence Sequence, int Row, int FirstRow, int Count, int FirstPosition, int FreshFrom)
{
    /// <summary>Blocks of a layer that hold its tokens, the new ones included.</summary>
    internal int Blocks(int layer) => EvictionFormat.Blocks(FirstPosition + Count) - Sequence.Layers[layer].FirstBlock;
}
