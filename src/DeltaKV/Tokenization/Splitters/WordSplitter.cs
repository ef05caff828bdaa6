namespace DeltaKV.Tokenization.Splitters;

/// <summary>
/// Cuts text into the words that are encoded one by one. Each subclass is one regular expression of a <c>tokenizer.json</c>, written as a
/// scanner.
/// </summary>
internal abstract class WordSplitter
{
    /// <summary>
    /// Where the word that starts at <paramref name="start"/> ends; always beyond <paramref name="start"/>, and independent of the text
    /// before it.
    /// </summary>
    internal abstract int EndOfWord(ReadOnlySpan<char> text, int start);

    /// <summary>
    /// <c>\s*[\r\n]+|\s+(?!\S)|\s+</c> at a whitespace character: up to the run's last line break; else all but the last character when a
    /// word follows; else all.
    /// </summary>
    protected static int EndOfSpaces(ReadOnlySpan<char> text, int start)
    {
        var end = CharacterTable.EndOfRun(text, start, CharacterKinds.Space);
        var lastBreak = text[start..end].LastIndexOfAny('\r', '\n');
        return lastBreak >= 0 ? start + lastBreak + 1 : EndBeforeWord(text, start, end);
    }

    /// <summary><c>\s+(?!\S)|\s+</c> over the whitespace from <paramref name="start"/> to <paramref name="end"/>.</summary>
    protected static int EndBeforeWord(ReadOnlySpan<char> text, int start, int end) =>
        end < text.Length && end - start > 1 ? end - 1 : end;

    /// <summary>
    /// The end of a run of characters that are neither whitespace, letters nor numbers; <paramref name="start"/> itself when there is none.
    /// </summary>
    protected static int EndOfSymbols(ReadOnlySpan<char> text, int start)
    {
        const CharacterKinds Others = CharacterKinds.Space | CharacterKinds.Letter | CharacterKinds.Number;
        while ((CharacterTable.At(text, start, out var length) & Others) == 0 && length > 0)
            start += length;
        return start;
    }
}
