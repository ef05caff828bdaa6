namespace DeltaKV.Evaluation;

/// <summary>One question about a document, as tokens for both settings.</summary>
/// <param name="Turn">What follows the document's context when the question comes after compression.</param>
/// <param name="Prompt">The whole prompt when the question stands in the same turn as the document.</param>
/// <param name="References">What a right answer is, or contains.</param>
/// <param name="Exact">Whether the answer must equal the reference; otherwise the share of references found in it counts.</param>
/// <param name="MaximumTokens">How many tokens an answer may take.</param>
internal sealed record EvaluationQuestion(int[] Turn, int[] Prompt, IReadOnlyList<string> References, bool Exact, int MaximumTokens)
{
    /// <summary>Where what it asks about stands, among the tokens of the context and of the prompt alike; null when it stands in no one place.</summary>
    public Range? Evidence { get; init; }

    /// <summary>0 to 1: how right a decoded answer is.</summary>
    public double Score(string answer) => Exact
        ? string.Equals(answer.Trim(), References[0], StringComparison.Ordinal) ? 1 : 0
        : References.Count(r => answer.Contains(r, StringComparison.OrdinalIgnoreCase)) / (double)References.Count;
}
