namespace DeltaKV.Gpu.Emulator;

internal enum TokenKind : byte
{
    Word,
    Number,
    Text,
    Punctuation,
    End,
}

internal readonly record struct Token(TokenKind Kind, string Text, int Line)
{
    public bool Is(char punctuation) => Kind == TokenKind.Punctuation && Text[0] == punctuation;
}

/// <summary>Splits PTX text into words, numbers, strings and punctuation; comments vanish here.</summary>
internal static class PtxLexer
{
    private static readonly string[] Punctuation = Enumerable.Range(0, 128).Select(c => ((char)c).ToString()).ToArray();

    public static List<Token> Tokenize(string source)
    {
        var tokens = new List<Token>(source.Length / 4);
        var line = 1;
        var i = 0;
        while (i < source.Length)
        {
            var c = source[i];
            if (c == '\n')
            {
                line++;
                i++;
            }
            else if (char.IsWhiteSpace(c) || c == '\0')
            {
                i++;
            }
            else if (c == '/' && i + 1 < source.Length && source[i + 1] == '/')
            {
                while (i < source.Length && source[i] != '\n')
                    i++;
            }
            else if (c == '/' && i + 1 < source.Length && source[i + 1] == '*')
            {
                var end = source.IndexOf("*/", i + 2, StringComparison.Ordinal);
                end = end < 0 ? source.Length : end + 2;
                line += source.AsSpan(i, end - i).Count('\n');
                i = end;
            }
            else
            {
                var start = i;
                var kind = TokenKind.Punctuation;
                if (c == '"')
                {
                    i = Math.Max(source.IndexOf('"', i + 1), i) + 1;
                    tokens.Add(new Token(TokenKind.Text, source[(start + 1)..(i - 1)], line));
                    continue;
                }

                if (char.IsAsciiDigit(c))
                {
                    kind = TokenKind.Number;
                    i = EndOfNumber(source, i);
                }
                else if (IsWord(c))
                {
                    kind = TokenKind.Word;
                    i = EndOfWord(source, i);
                }
                else if (c < 128)
                {
                    tokens.Add(new Token(kind, Punctuation[c], line));
                    i++;
                    continue;
                }
                else
                {
                    throw new PtxParseException(line, c.ToString(), "unexpected character");
                }

                tokens.Add(new Token(kind, source[start..i], line));
            }
        }

        tokens.Add(new Token(TokenKind.End, "end of text", line));
        return tokens;
    }

    private static bool IsWord(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' or '%' or '.';

    private static int EndOfWord(string source, int i)
    {
        while (i < source.Length)
        {
            if (IsWord(source[i]))
                i++;
            else if (source[i] == ':' && i + 2 < source.Length && source[i + 1] == ':' && IsWord(source[i + 2]))
                i += 2; // L1::no_allocate is one modifier
            else
                break;
        }

        return i;
    }

    private static int EndOfNumber(string source, int i)
    {
        var start = i;
        var isPlain = !(source[i] == '0' && i + 1 < source.Length && source[i + 1] is 'x' or 'X' or 'f' or 'F' or 'd' or 'D');
        while (i < source.Length && (char.IsAsciiLetterOrDigit(source[i]) || source[i] == '.'
            || (isPlain && i > start && source[i] is '+' or '-' && source[i - 1] is 'e' or 'E')))
        {
            i++;
        }

        return i;
    }
}
