namespace DeltaKV.Tokenization.Splitters;

/// <summary>
/// GPT-2's pattern, which <c>ByteLevel</c> with <c>use_regex</c> means:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal sealed class Gpt2Splitter : WordSplitter
{
    internal override int EndOfWord(ReadOnlySpan<char> text, int start)
    {
        if (Contractions.Length(text, start) is > 0 and var contraction)
            return start + contraction;

        var first = text[start] == ' ' ? start + 1 : start;
        var kinds = CharacterTable.At(text, first, out var length);
        if ((kinds & CharacterKinds.Letter) != 0)
            return CharacterTable.EndOfRun(text, first, CharacterKinds.Letter);
        if ((kinds & CharacterKinds.Number) != 0)
            return CharacterTable.EndOfRun(text, first, CharacterKinds.Number);
        if ((kinds & CharacterKinds.Space) == 0 && length > 0)
            return EndOfSymbols(text, first);
        return EndBeforeWord(text, start, CharacterTable.EndOfRun(text, start, CharacterKinds.Space));
    }
}
