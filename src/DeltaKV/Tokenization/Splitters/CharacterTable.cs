using System.Globalization;
using System.Text;

namespace DeltaKV.Tokenization.Splitters;

/// <summary>
/// Kinds of characters by Unicode scalar value. .NET's regex sees UTF-16 units and so takes no letter beyond the BMP for one; these lookups
/// see scalars.
/// A lone surrogate counts as the U+FFFD it will be encoded as.
/// </summary>
internal static class CharacterTable
{
    private static readonly CharacterKinds[] Bmp = BuildBmp();

    /// <summary>The kinds of the scalar at <paramref name="index"/> and how many UTF-16 units it takes; none and zero at the end.</summary>
    internal static CharacterKinds At(ReadOnlySpan<char> text, int index, out int length)
    {
        if ((uint)index >= (uint)text.Length)
        {
            length = 0;
            return CharacterKinds.None;
        }

        var character = text[index];
        if (char.IsHighSurrogate(character) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
        {
            length = 2;
            return Classify(char.ConvertToUtf32(character, text[index + 1]));
        }

        length = 1;
        return Bmp[character];
    }

    /// <summary>Where the run of scalars with any of <paramref name="kinds"/> that starts at <paramref name="index"/> ends.</summary>
    internal static int EndOfRun(ReadOnlySpan<char> text, int index, CharacterKinds kinds)
    {
        while ((At(text, index, out var length) & kinds) != 0)
            index += length;
        return index;
    }

    internal static CharacterKinds Classify(int scalar) => CharUnicodeInfo.GetUnicodeCategory(scalar) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => CharacterKinds.Upper,
        UnicodeCategory.LowercaseLetter => CharacterKinds.Lower,
        UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharacterKinds.Caseless,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => CharacterKinds.Mark,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharacterKinds.Number,
        _ when Rune.IsValid(scalar) && Rune.IsWhiteSpace(new Rune(scalar)) =>
            scalar is '\r' or '\n' ? CharacterKinds.Space | CharacterKinds.LineBreak : CharacterKinds.Space,
        _ => CharacterKinds.None,
    };

    private static CharacterKinds[] BuildBmp()
    {
        var kinds = new CharacterKinds[0x10000];
        for (var scalar = 0; scalar < kinds.Length; scalar++)
            kinds[scalar] = Classify(scalar);
        return kinds;
    }
}
