namespace DeltaKV.Compression.Eviction;

/// <summary>One layer of one sequence that loses tokens.</summary>
/// <param name="Sequence">Whose.</param>
/// <param name="Row">Its row of the tables on the device, which still are those of the step.</param>
/// <param name="Layer">The layer.</param>
/// <param name="Start">The first slot that holds a token.</param>
/// <param name="Length">The slot after the last.</param>
/// <param name="Keep">Tokens that stay.</param>
/// <param name="Blocks">Where they go: slots from <c>Length - Keep</c> on, from the beginning of that slot's block.</param>
internal sealed record EvictionJob(EvictingSequence Sequence, int Row, int Layer, int Start, int Length, int Keep, int[] Blocks)
{
    /// <summary>Tokens that are there.</summary>
    internal int Count => Length - Start;

    /// <summary>The first slot afterwards.</summary>
    internal int NewStart => Length - Keep;
}
