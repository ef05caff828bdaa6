namespace DeltaKV.Kernels.Sampling;

/// <summary>How the next token of one row is chosen; lies in a device buffer, so that a captured graph reads the step it is replayed in.</summary>
/// <remarks>Order: bias, penalties, temperature, then top-k, top-p among those, and min-p. The seed and the position alone decide the draw.</remarks>
internal struct SamplingRow
{
    /// <summary>The random key of the sequence.</summary>
    public ulong Seed;

    /// <summary>Which draw of the sequence this is.</summary>
    public int Position;

    /// <summary>Softmax temperature; 0 takes the most likely token.</summary>
    public float Temperature;

    /// <summary>Among that many most likely tokens; 0 for all.</summary>
    public int TopK;

    /// <summary>Among the most likely tokens that together have this probability; 1 for all.</summary>
    public float TopP;

    /// <summary>Among tokens at least this probable relative to the most likely one; 0 for all.</summary>
    public float MinP;

    /// <summary>Divides positive and multiplies negative logits of tokens seen; 1 for none.</summary>
    public float RepetitionPenalty;

    /// <summary>Subtracted from logits of tokens generated.</summary>
    public float PresencePenalty;

    /// <summary>Subtracted from logits of tokens generated, once per occurrence.</summary>
    public float FrequencyPenalty;

    /// <summary>The row of the token counts, or -1 when the sequence has no penalties.</summary>
    public int Counts;

    /// <summary>First of this row's biases.</summary>
    public int FirstBias;

    /// <summary>The number of biases.</summary>
    public int Biases;

    /// <summary>Takes the most likely token.</summary>
    internal static SamplingRow Greedy => new() { TopP = 1, RepetitionPenalty = 1, Counts = -1 };
}
