using System.Collections.Immutable;

namespace DeltaKV.Engine;

/// <summary>A whole generation.</summary>
/// <param name="Text">The answer, without the stop sequence or end token.</param>
/// <param name="TokenIds">Every generated token, the one that ends the answer included.</param>
/// <param name="FinishReason">Why it ended.</param>
/// <param name="Statistics">What it used.</param>
public sealed record GenerationResult(string Text, ImmutableArray<int> TokenIds, FinishReason FinishReason, GenerationStatistics Statistics);
