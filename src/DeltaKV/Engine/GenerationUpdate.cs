namespace DeltaKV.Engine;

/// <summary>One generated token. The last update of a generation has a reason and the statistics.</summary>
/// <param name="TokenId">The token.</param>
/// <param name="Text">Text that has become certain; empty while bytes of a character or the beginning of a stop sequence are held back.</param>
/// <param name="FinishReason">Why the generation ended; null if it goes on.</param>
/// <param name="Statistics">What the generation used; null if it goes on.</param>
public sealed record GenerationUpdate(int TokenId, string Text, FinishReason? FinishReason = null, GenerationStatistics? Statistics = null);
