namespace DeltaKV.Tokenization.Splitters;

/// <summary>
/// Mistral's Tekken pattern, which also cuts where lower case turns to upper:
/// <c>[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+</c>, the same with <c>+</c> and <c>*</c> exchanged,
/// then <c>\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal sealed class TekkenSplitter : WordSplitter
{
    private const CharacterKinds UpperLike = CharacterKinds.Upper | CharacterKinds.Caseless | CharacterKinds.Mark;
    private const CharacterKinds LowerLike = CharacterKinds.Lower | CharacterKinds.Caseless | CharacterKinds.Mark;
    private const CharacterKinds NoPrefix = CharacterKinds.LineBreak | CharacterKinds.Letter | CharacterKinds.Number;

    internal override int EndOfWord(ReadOnlySpan<char> text, int start)
    {
        var kinds = CharacterTable.At(text, start, out var length);
        var afterPrefix = (kinds & NoPrefix) == 0 ? start + length : start;

        // In the pattern's order: ending in lower case with the prefix, without it, then ending in upper case likewise.
        if (TryLowerEnding(text, afterPrefix, out var end) || TryLowerEnding(text, start, out end))
            return end;
        if (TryUpperEnding(text, afterPrefix, out end) || TryUpperEnding(text, start, out end))
            return end;
        if ((kinds & CharacterKinds.Number) != 0)
            return start + length;

        var symbols = text[start] == ' ' ? start + 1 : start;
        end = EndOfSymbols(text, symbols);
        if (end == symbols)
            return EndOfSpaces(text, start);
        while (end < text.Length && text[end] is '\r' or '\n' or '/')
            end++;
        return end;
    }

    /// <summary><c>[Upper]*[Lower]+</c>: the upper run gives back characters until one of them can begin the lower run.</summary>
    private static bool TryLowerEnding(ReadOnlySpan<char> text, int start, out int end)
    {
        var lastLowerEnd = start;
        var position = start;
        while (CharacterTable.At(text, position, out var length) is var kinds && (kinds & UpperLike) != 0)
        {
            position += length;
            if ((kinds & LowerLike) != 0)
                lastLowerEnd = position;
        }

        var lowerEnd = CharacterTable.EndOfRun(text, position, LowerLike);
        end = lowerEnd > position ? lowerEnd : lastLowerEnd;
        return end > start;
    }

    private static bool TryUpperEnding(ReadOnlySpan<char> text, int start, out int end)
    {
        var upperEnd = CharacterTable.EndOfRun(text, start, UpperLike);
        end = CharacterTable.EndOfRun(text, upperEnd, LowerLike);
        return upperEnd > start;
    }
}
