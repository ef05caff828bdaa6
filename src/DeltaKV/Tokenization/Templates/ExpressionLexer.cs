using System.Globalization;
using System.Text;
using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates;

/// <summary>Reads the names, literals and operators inside one tag.</summary>
internal sealed class ExpressionLexer(string source, LineIndex lines, List<TemplateToken> tokens)
{
    private static readonly string[] Operators =
        ["//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";"];

    private readonly Stack<char> brackets = new();
    private int position;

    /// <summary>
    /// Reads up to the closing marker, or the sign before it, and returns where that is; the end of the source if there is none.
    /// </summary>
    internal int Read(int start, string close)
    {
        brackets.Clear();
        position = start;
        while (position < source.Length)
        {
            if (PythonText.IsSpace(source[position]))
                position++;
            else if (brackets.Count == 0 && IsAtEnd(close))
                return position;
            else
                ReadToken();
        }

        return position;
    }

    private bool IsAtEnd(string close)
    {
        // A plus sign before the end is a whitespace mark of block tags only.
        var signed = source[position] == '-' || (source[position] == '+' && close == "%}");
        return string.CompareOrdinal(source, signed ? position + 1 : position, close, 0, 2) == 0;
    }

    private void ReadToken()
    {
        var character = source[position];
        if (char.IsAsciiDigit(character))
            ReadNumber();
        else if (char.IsLetter(character) || character == '_')
            Take(TokenKind.Name, EndOf(position, static c => char.IsLetterOrDigit(c) || c == '_'));
        else if (character is '\'' or '"')
            ReadString(character);
        else
            ReadOperator();
    }

    private void ReadNumber()
    {
        var end = EndOf(position, static c => char.IsAsciiDigit(c) || c == '_');
        var isFloat = false;
        var afterDot = tokens[^1].Is(TokenKind.Operator, ".");
        if (!afterDot && end + 1 < source.Length && source[end] == '.' && char.IsAsciiDigit(source[end + 1]))
        {
            isFloat = true;
            end = EndOf(end + 1, static c => char.IsAsciiDigit(c) || c == '_');
        }

        if (!afterDot && end < source.Length && source[end] is 'e' or 'E')
        {
            var digits = end + 1 < source.Length && source[end + 1] is '+' or '-' ? end + 2 : end + 1;
            if (digits < source.Length && char.IsAsciiDigit(source[digits]))
            {
                isFloat = true;
                end = EndOf(digits, static c => char.IsAsciiDigit(c) || c == '_');
            }
        }

        if (end < source.Length && char.IsLetter(source[end]))
            throw Error($"the number '{source[position..(end + 1)]}' is not supported; numbers are decimal");
        Take(isFloat ? TokenKind.Float : TokenKind.Integer, end);
    }

    private void ReadString(char quote)
    {
        var start = position;
        var value = new StringBuilder();
        for (position++; position < source.Length && source[position] != quote; position++)
        {
            if (source[position] != '\\' || position + 1 == source.Length)
                value.Append(source[position]);
            else
                ReadEscape(value);
        }

        if (position >= source.Length)
        {
            position = start;
            throw Error("a string is not closed");
        }

        tokens.Add(new TemplateToken(TokenKind.String, value.ToString(), lines.LineOf(start)));
        position++;
    }

    /// <summary>Python's escapes; an unknown one stands for itself, backslash and all.</summary>
    private void ReadEscape(StringBuilder value)
    {
        var character = source[++position];
        switch (character)
        {
            case '\n': break;
            case '\\' or '\'' or '"': value.Append(character); break;
            case 'n': value.Append('\n'); break;
            case 'r': value.Append('\r'); break;
            case 't': value.Append('\t'); break;
            case 'a': value.Append('\a'); break;
            case 'b': value.Append('\b'); break;
            case 'f': value.Append('\f'); break;
            case 'v': value.Append('\v'); break;
            case 'x': ReadHexadecimal(value, 2); break;
            case 'u': ReadHexadecimal(value, 4); break;
            case 'U': ReadHexadecimal(value, 8); break;
            case >= '0' and <= '7': ReadOctal(value); break;
            case 'N': throw Error("the string escape '\\N' is not supported");
            default: value.Append('\\').Append(character); break;
        }
    }

    private void ReadHexadecimal(StringBuilder value, int digits)
    {
        var text = source.AsSpan(position + 1, Math.Min(digits, source.Length - position - 1));
        if (text.Length < digits || !int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var scalar) || scalar is < 0 or > 0x10FFFF)
            throw Error($"the string escape '\\{source[position]}{text}' is damaged");
        value.Append(scalar < 0x10000 ? ((char)scalar).ToString() : char.ConvertFromUtf32(scalar));
        position += digits;
    }

    private void ReadOctal(StringBuilder value)
    {
        var scalar = 0;
        var end = Math.Min(position + 3, source.Length);
        for (; position < end && source[position] is >= '0' and <= '7'; position++)
            scalar = (scalar * 8) + source[position] - '0';
        value.Append((char)scalar);
        position--;
    }

    private void ReadOperator()
    {
        var found = Array.Find(Operators, candidate => string.CompareOrdinal(source, position, candidate, 0, candidate.Length) == 0)
            ?? throw Error($"the character '{source[position]}' is not part of any expression");
        if (found is "(" or "[" or "{")
            brackets.Push(found[0] switch { '(' => ')', '[' => ']', _ => '}' });
        else if (found is ")" or "]" or "}" && (!brackets.TryPop(out var expected) || expected != found[0]))
            throw Error($"unexpected '{found}'");
        Take(TokenKind.Operator, position + found.Length);
    }

    private int EndOf(int start, Func<char, bool> belongs)
    {
        while (start < source.Length && belongs(source[start]))
            start++;
        return start;
    }

    private void Take(TokenKind kind, int end)
    {
        tokens.Add(new TemplateToken(kind, source[position..end], lines.LineOf(position)));
        position = end;
    }

    private ChatTemplateException Error(string message) => new($"{message}.", lines.LineOf(position));
}
