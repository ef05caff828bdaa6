namespace DeltaKV.Compression.CompressKv;

/// <summary>A prompt with a needle in it.</summary>
/// <param name="Tokens">The whole prompt, question included.</param>
/// <param name="Needle">Where in it the answer stands, as the sentence that says it.</param>
/// <param name="Answer">What a right answer contains.</param>
/// <param name="MaximumTokens">How long the answer may be.</param>
/// <param name="Name">For the report: kind, length and depth.</param>
internal sealed record RetrievalPrompt(int[] Tokens, Range Needle, string Answer, int MaximumTokens, string Name);
