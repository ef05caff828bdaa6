namespace DeltaKV.Evaluation;

/// <summary>A document and its questions.</summary>
/// <param name="Context">The document as a finished turn, acknowledged; every question's <c>Turn</c> continues from here.</param>
/// <param name="Questions">Independent questions, unless the task is a conversation.</param>
/// <param name="Conversation">Whether each question also sees the questions and answers before it.</param>
internal sealed record EvaluationDocument(int[] Context, IReadOnlyList<EvaluationQuestion> Questions, bool Conversation = false)
{
    /// <summary>How deep in the document what a question asks about stands: 0 at its beginning, 1 at its end; null when it stands in no one place.</summary>
    public double? Depth(EvaluationQuestion question) => question.Evidence is { } range ? (double)range.Start.Value / Context.Length : null;
}
