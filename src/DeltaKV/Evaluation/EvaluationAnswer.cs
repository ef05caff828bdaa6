namespace DeltaKV.Evaluation;

/// <summary>What came out, what it took, and what the cache held when the last token came.</summary>
/// <param name="Tokens">The answer, without an end-of-turn token.</param>
/// <param name="TimeToFirstTokenMs">From the start of the context's prefill to the first token, waiting left out.</param>
/// <param name="DecodeTokensPerSecond">After the first token; 0 for answers of one token.</param>
/// <param name="KvBytes">Measured bytes of the compressed cache.</param>
/// <param name="FullKvBytes">Bytes of the bf16 cache of the same tokens.</param>
/// <param name="PeakKvBytes">The most bytes the cache held at any time, prefill included.</param>
internal sealed record EvaluationAnswer(
    int[] Tokens, double TimeToFirstTokenMs, double DecodeTokensPerSecond, long KvBytes, long FullKvBytes, long PeakKvBytes);
