namespace DeltaKV.Compression.Eviction;

/// <summary>One layer of one sequence that loses tokens.</summary>
/// <param name="Sequence">Whose.</param>
/// <param name="Row">Its row of the tables on the device, which still are those of the step.</param>
/// <param name="Layer">The layer.</param>
/// <param name="Before">Where its tokens are.</param>
/// <param name="After">Where they go, in blocks of their own: slots from <c>Length - Keep</c> on.</param>
/// <param name="Length">The slot after the last.</param>
/// <param name="Keep">Tokens that stay.</param>
/// <param name="IsInPlace">What is coded stays where it is, or is deleted; only raw tokens move.</param>
internal sealed record EvictionJob(EvictingSequence Sequence, int Row, int Layer, LayerBlocks Before, LayerBlocks After, int Length, int Keep, bool IsInPlace = false)
{
    /// <summary>The first slot that holds a token.</summary>
    internal int Start => Before.Start;

    /// <summary>Tokens that are there.</summary>
    internal int Count => Length - Start;

    /// <summary>The first slot afterwards.</summary>
    internal int NewStart => After.Start;

    /// <summary>Raw blocks afterwards, from the one of the first slot on; <see cref="LayerBlocks.None"/> where all slots are coded.</summary>
    internal ReadOnlySpan<int> Blocks => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(After.Blocks)[(NewStart / EvictionFormat.BlockTokens)..];

    /// <summary>Coded blocks to fill, in order of their slots.</summary>
    internal ReadOnlySpan<int> Codes => IsInPlace || !After.HasCodes
        ? []
        : System.Runtime.InteropServices.CollectionsMarshal.AsSpan(After.Codes)[^After.HeldCodes..];
}
