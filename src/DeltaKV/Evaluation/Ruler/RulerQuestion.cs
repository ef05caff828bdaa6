namespace DeltaKV.Evaluation.Ruler;

/// <summary>What is asked and the strings a right answer contains.</summary>
/// <param name="Text">The question.</param>
/// <param name="References">All of them make a right answer.</param>
/// <param name="MaximumTokens">How long the answer may be.</param>
/// <param name="Evidence">The piece of the context that it asks about, which stands there once; null when it asks about all of it.</param>
internal sealed record RulerQuestion(string Text, IReadOnlyList<string> References, int MaximumTokens = 128, string? Evidence = null);
