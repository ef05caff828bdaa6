namespace DeltaKV.Cache;

/// <summary>What one sequence owns of the key/value memory.</summary>
internal interface ISequenceCache
{
    /// <summary>Tokens whose keys and values are kept; the next token computed is at this position.</summary>
    int Length { get; }

    /// <summary>Uncompressed blocks by position.</summary>
    BlockTable Blocks { get; }

    /// <summary>Bytes held, shared blocks counted in full.</summary>
    KvUsage Usage { get; }

    /// <summary>The most tokens that the next step may compute, at least 1: where a method acts at a certain length, a step must end there.</summary>
    int StepLimit => int.MaxValue;

    /// <summary>
    /// Admits an empty sequence: takes hold of the longest prefix of <paramref name="tokens"/> that is still cached (at least the last
    /// token is left to compute) if memory for the rest is free now. Otherwise changes nothing and returns false.
    /// </summary>
    bool TryAdmit(ReadOnlySpan<int> tokens);

    /// <summary>Makes room for that many tokens after <see cref="Length"/>; all or nothing.</summary>
    bool TryReserve(int tokens);

    /// <summary>The tokens of <paramref name="history"/> from <see cref="Length"/> on have been computed into the reserved room.</summary>
    void Commit(ReadOnlySpan<int> history);

    /// <summary>
    /// Tokens to compute next, from <see cref="Length"/> on, instead of the sequence's own: a method looks at what they attend to and forgets them. Empty unless a method asks
    /// for it after a step; nothing is sampled from them.
    /// </summary>
    ReadOnlySpan<int> Probe => [];

    /// <summary>That many tokens of <see cref="Probe"/> have been computed into the reserved room.</summary>
    void CommitProbe(int tokens) => throw new InvalidOperationException("This cache has not asked for a probe.");

    /// <summary>Gives everything back. The sequence may be admitted again.</summary>
    void Release();
}
