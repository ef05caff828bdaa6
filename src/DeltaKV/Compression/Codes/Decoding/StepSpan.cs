namespace DeltaKV.Compression.Codes.Decoding;

/// <summary>A sequence of a step.</summary>
/// <param name="Length">Tokens of it, those of the step among them.</param>
/// <param name="CodedTokens">How many of them are coded.</param>
/// <param name="Tiles">Tiles of its new tokens, if they are a prompt's.</param>
internal readonly record struct StepSpan(int Length, int CodedTokens, int Tiles);
