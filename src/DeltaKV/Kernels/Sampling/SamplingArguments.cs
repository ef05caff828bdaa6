using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Sampling;

/// <summary>What the sampling kernel takes.</summary>
/// <param name="logits">Logits <c>[rows, vocabulary]</c>; overwritten.</param>
/// <param name="rows">How each row is sampled <c>[rows]</c>.</param>
/// <param name="biases">Biases of all rows; distinct tokens within a row.</param>
/// <param name="counts">Token counts <c>[sequences, vocabulary]</c> as <see cref="TokenCounts"/> keeps them, or empty.</param>
/// <param name="tokens">The chosen tokens <c>[rows]</c>.</param>
/// <param name="vocabulary">Logits of a row.</param>
internal readonly struct SamplingArguments(
    ArrayView<float> logits, ArrayView<SamplingRow> rows, ArrayView<TokenBias> biases, ArrayView<int> counts, ArrayView<int> tokens, int vocabulary)
{
    /// <summary>Logits.</summary>
    public readonly ArrayView<float> Logits = logits;

    /// <summary>How each row is sampled.</summary>
    public readonly ArrayView<SamplingRow> Rows = rows;

    /// <summary>Biases of all rows.</summary>
    public readonly ArrayView<TokenBias> Biases = biases;

    /// <summary>Token counts.</summary>
    public readonly ArrayView<int> Counts = counts;

    /// <summary>The chosen tokens.</summary>
    public readonly ArrayView<int> Tokens = tokens;

    /// <summary>Logits of a row.</summary>
    public readonly int Vocabulary = vocabulary;
}
