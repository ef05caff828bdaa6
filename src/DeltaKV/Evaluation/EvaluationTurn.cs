namespace DeltaKV.Evaluation;

/// <summary>What is appended to a context, and how long the answer may be.</summary>
/// <param name="Tokens">Tokens to append.</param>
/// <param name="MaximumTokens">The longest answer.</param>
internal readonly record struct EvaluationTurn(int[] Tokens, int MaximumTokens);
