namespace DeltaKV.Compression.Codes.Storage;

/// <summary>A prompt chunk of a step.</summary>
/// <param name="Sequence">Row of the tables.</param>
/// <param name="Length">Tokens of its sequence, the chunk included.</param>
/// <param name="FirstTile">Its first tile among the step's.</param>
/// <param name="Tiles">How many it has.</param>
internal readonly record struct PromptSpan(int Sequence, int Length, int FirstTile, int Tiles);
