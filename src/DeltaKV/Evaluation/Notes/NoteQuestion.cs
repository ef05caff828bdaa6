namespace DeltaKV.Evaluation.Notes;

/// <summary>A question about notes and its one right answer.</summary>
/// <param name="Text">What is asked.</param>
/// <param name="Answer">The whole answer, word for word.</param>
/// <param name="Note">Which note it asks about; the first one where several are needed.</param>
internal sealed record NoteQuestion(string Text, string Answer, int Note);
