namespace DeltaKV.Evaluation.Notes;

/// <summary>Facts to scatter through a document, in order, and what may be asked about them.</summary>
internal sealed record NoteSet(IReadOnlyList<string> Notes, IReadOnlyList<NoteQuestion> Questions);
