namespace DeltaKV.Tokenization.Splitters;

/// <summary>
/// The pattern of Llama 3 (numbers in threes), Qwen 2, 2.5 and 3, and needle-16m (digits one by one):
/// <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal sealed class LlamaSplitter(int longestNumber) : WordSplitter
{
    internal override int EndOfWord(ReadOnlySpan<char> text, int start)
    {
        var kinds = CharacterTable.At(text, start, out var length);
        if ((kinds & CharacterKinds.Letter) != 0)
            return CharacterTable.EndOfRun(text, start + length, CharacterKinds.Letter);
        if ((kinds & CharacterKinds.Number) != 0)
            return EndOfNumber(text, start + length);

        if (Contractions.LengthIgnoringCase(text, start) is > 0 and var contraction)
            return start + contraction;

        var afterFirst = start + length;
        if ((kinds & CharacterKinds.LineBreak) == 0 && (CharacterTable.At(text, afterFirst, out _) & CharacterKinds.Letter) != 0)
            return CharacterTable.EndOfRun(text, afterFirst, CharacterKinds.Letter);

        var symbols = text[start] == ' ' ? afterFirst : start;
        var end = EndOfSymbols(text, symbols);
        return end > symbols ? CharacterTable.EndOfRun(text, end, CharacterKinds.LineBreak) : EndOfSpaces(text, start);
    }

    private int EndOfNumber(ReadOnlySpan<char> text, int end)
    {
        for (var digits = 1; digits < longestNumber && (CharacterTable.At(text, end, out var length) & CharacterKinds.Number) != 0; digits++)
            end += length;
        return end;
    }
}
