namespace DeltaKV.Tokenization;

/// <summary>A token that is matched in the text as it stands, before any splitting; <c>added_tokens</c> in <c>tokenizer.json</c>.</summary>
/// <param name="Id">The id it encodes to.</param>
/// <param name="Content">The text as the file has it.</param>
/// <param name="Matched">The text it matches and decodes to: normalised, for a token that is looked for after normalisation.</param>
/// <param name="IsSpecial">Whether it steers the model rather than spells text.</param>
/// <param name="StripsLeft">Whether whitespace before the match belongs to it.</param>
/// <param name="StripsRight">Whether whitespace after the match belongs to it.</param>
/// <param name="MatchesNormalized">Whether it is looked for after normalisation rather than before.</param>
internal sealed record AddedToken(int Id, string Content, string Matched, bool IsSpecial, bool StripsLeft, bool StripsRight, bool MatchesNormalized);
