namespace DeltaKV.Cache;

/// <summary>One sequence's share of a step. Its rows are consecutive; the entry's index is its row of the block tables.</summary>
/// <param name="Cache">What the sequence owns, with room for the new rows.</param>
/// <param name="FirstRow">Its first row in the batch.</param>
/// <param name="Rows">Its new tokens; a single one is a decode step, whatever it belongs to.</param>
internal readonly record struct SequenceStep(ISequenceCache Cache, int FirstRow, int Rows);
