namespace DeltaKV.Tokenization.Splitters;

/// <summary>
/// What the split patterns ask of a character. Letters are upper, lower or caseless; a character with no flag is punctuation, a symbol or a
/// control.
/// </summary>
[Flags]
internal enum CharacterKinds : byte
{
    None = 0,

    /// <summary>\p{Lu} or \p{Lt}.</summary>
    Upper = 1,

    /// <summary>\p{Ll}.</summary>
    Lower = 2,

    /// <summary>\p{Lm} or \p{Lo}.</summary>
    Caseless = 4,

    /// <summary>\p{M}.</summary>
    Mark = 8,

    /// <summary>\p{N}.</summary>
    Number = 16,

    /// <summary>\s: the Unicode property White_Space.</summary>
    Space = 32,

    /// <summary>Carriage return or line feed; always with <see cref="Space"/>.</summary>
    LineBreak = 64,

    /// <summary>\p{L}.</summary>
    Letter = Upper | Lower | Caseless,
}
