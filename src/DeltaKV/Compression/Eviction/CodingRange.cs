namespace DeltaKV.Compression.Eviction;

/// <summary>Slots of one layer of one sequence that have left the window.</summary>
/// <param name="Row">The sequence's row of the tables, which are those of the step.</param>
/// <param name="Layer">The layer.</param>
/// <param name="First">The first slot.</param>
/// <param name="End">The slot after the last.</param>
/// <param name="MovedEnd">Slots below this one hold tokens that an eviction has moved.</param>
internal readonly record struct CodingRange(int Row, int Layer, int First, int End, int MovedEnd);
