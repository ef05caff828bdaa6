namespace DeltaKV.Evaluation.Ruler;

/// <summary>What is asked and the strings a right answer contains.</summary>
internal sealed record RulerQuestion(string Text, IReadOnlyList<string> References, int MaximumTokens = 128);
