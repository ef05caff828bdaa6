namespace DeltaKV.Kernels.Sampling;

/// <summary>How the token of one row of logits is chosen. The default value takes the most likely one.</summary>
internal struct SamplingRow
{
    /// <summary>Bits per unit of logit, <c>log2(e) / temperature</c>; 0 takes the most likely token.</summary>
    internal float Scale;

    /// <summary>Only that many most likely tokens; 0 for all.</summary>
    internal int TopK;

    /// <summary>Only the most likely tokens that reach this share of 2^32; 0 for all.</summary>
    internal uint TopP;

    /// <summary>Only tokens at most that far below the most likely one, in units of <see cref="RankedRow.KeyUnit"/>.</summary>
    internal uint MaxKey;

    /// <summary>Seed of the draw.</summary>
    internal ulong Seed;

    /// <summary>Position of the token to be chosen; with the seed, all that the draw depends on.</summary>
    internal int Position;

    /// <summary>Row of the bias and count tables.</summary>
    internal int Slot;

    /// <summary>Entries of the bias table.</summary>
    internal int BiasCount;

    /// <summary>1 if the penalties below and the count table apply.</summary>
    internal int Penalizes;

    /// <summary>A token of the answer to be counted first, or -1.</summary>
    internal int NewToken;

    internal float RepetitionPenalty;
    internal float PresencePenalty;
    internal float FrequencyPenalty;
}
