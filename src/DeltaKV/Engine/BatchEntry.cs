using DeltaKV.Cache;

namespace DeltaKV.Engine;

/// <summary>The part of a batch that belongs to one sequence: which of its tokens are computed.</summary>
/// <param name="Sequence">The sequence.</param>
/// <param name="Start">Position of the first token; everything before is in the cache.</param>
/// <param name="Count">Number of tokens.</param>
/// <param name="IsProbe">They are the cache's probe, not the sequence's tokens.</param>
internal readonly record struct BatchEntry(Sequence Sequence, int Start, int Count, bool IsProbe = false)
{
    /// <summary>The token ids to compute.</summary>
    internal ReadOnlySpan<int> Tokens => IsProbe ? Sequence.Cache.Probe[..Count] : Sequence.Tokens.Slice(Start, Count);

    /// <summary>Tokens in the cache once the batch is computed.</summary>
    internal int End => Start + Count;

    /// <summary>Whether the last token's logits give the next token; not so for all but the last chunk of a prompt.</summary>
    internal bool Samples => !IsProbe && End == Sequence.Tokens.Length;

    /// <summary>Blocks with room for every token up to <see cref="End"/>.</summary>
    internal BlockTable Blocks => Sequence.Cache.Blocks;
}
