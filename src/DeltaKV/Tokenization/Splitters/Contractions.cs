namespace DeltaKV.Tokenization.Splitters;

/// <summary>English contractions: <c>'s|'t|'re|'ve|'m|'ll|'d</c>.</summary>
internal static class Contractions
{
    /// <summary>The length of the contraction at <paramref name="start"/>, or 0. Only lower case matches.</summary>
    internal static int Length(ReadOnlySpan<char> text, int start)
    {
        var rest = text[start..];
        if (rest.Length < 2 || rest[0] != '\'')
            return 0;
        return rest[1] switch
        {
            's' or 't' or 'm' or 'd' => 2,
            'r' or 'v' when rest.Length > 2 && rest[2] == 'e' => 3,
            'l' when rest.Length > 2 && rest[2] == 'l' => 3,
            _ => 0,
        };
    }

    /// <summary>The same under <c>(?i:...)</c>. U+017F (long s) folds to s, so it matches as well.</summary>
    internal static int LengthIgnoringCase(ReadOnlySpan<char> text, int start)
    {
        var rest = text[start..];
        if (rest.Length < 2 || rest[0] != '\'')
            return 0;
        Span<char> folded = ['\'', Fold(rest[1]), rest.Length > 2 ? Fold(rest[2]) : '\0'];
        return Length(folded, 0);
    }

    private static char Fold(char character) => character == '\u017F' ? 's' : char.IsAsciiLetterUpper(character) ? (char)(character | 0x20) : character;
}
