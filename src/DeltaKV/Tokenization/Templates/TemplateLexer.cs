using DeltaKV.Tokenization.Templates.Python;

namespace DeltaKV.Tokenization.Templates;

/// <summary>
/// Cuts a template into text and tags. Whitespace around tags follows Jinja with <c>trim_blocks</c> and <c>lstrip_blocks</c> on, as Hugging
/// Face sets it:
/// the line break after a block tag and the indentation before it go, and a minus sign takes all whitespace on its side.
/// </summary>
internal sealed class TemplateLexer
{
    private readonly string source;
    private readonly List<TemplateToken> tokens = [];
    private readonly LineIndex lines;
    private readonly ExpressionLexer expressions;
    private int position;
    private bool atLineStart = true;

    private TemplateLexer(string template)
    {
        source = template.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (source.EndsWith('\n'))
            source = source[..^1];
        lines = new LineIndex(source);
        expressions = new ExpressionLexer(source, lines, tokens);
    }

    internal static List<TemplateToken> Tokenize(string template)
    {
        var lexer = new TemplateLexer(template);
        lexer.Run();
        return lexer.tokens;
    }

    private void Run()
    {
        while (FindTag(position) is >= 0 and var tag)
        {
            var kind = source[tag + 1];
            AddText(position, tag, kind);
            position = tag + 2;
            if (Current() is '-' or '+')
                position++;
            ReadTag(kind, tag);
        }

        if (position < source.Length)
            Add(TokenKind.Text, source[position..], position);
        Add(TokenKind.End, "", source.Length);
    }

    private void ReadTag(char kind, int tag)
    {
        switch (kind)
        {
            case '#':
                position = source.IndexOf("#}", position, StringComparison.Ordinal) is >= 0 and var end
                    ? end
                    : throw new ChatTemplateException("a comment '{#' is not closed.", lines.LineOf(tag));
                EndTag("#}", trims: true, signed: source[end - 1] is '-' or '+' && end > tag + 2 ? source[end - 1] : ' ');
                break;
            case '{':
                Add(TokenKind.OutputBegin, "{{", tag);
                ReadExpression("}}", TokenKind.OutputEnd, tag);
                break;
            default:
                if (TryReadRaw(tag))
                    break;
                Add(TokenKind.BlockBegin, "{%", tag);
                ReadExpression("%}", TokenKind.BlockEnd, tag);
                break;
        }
    }

    private void ReadExpression(string close, TokenKind endKind, int tag)
    {
        position = expressions.Read(position, close);
        if (position == source.Length)
            throw new ChatTemplateException($"the tag '{source.AsSpan(tag, 2)}' is not closed.", lines.LineOf(tag));
        var sign = Current() is '-' or '+' ? source[position++] : ' ';
        Add(endKind, close, position);
        EndTag(close, trims: endKind == TokenKind.BlockEnd, sign);
    }

    /// <summary>Passes the closing marker and the whitespace that goes with it.</summary>
    private void EndTag(string close, bool trims, char signed)
    {
        position += close.Length;
        var start = position;
        if (signed == '-')
        {
            while (position < source.Length && PythonText.IsSpace(source[position]))
                position++;
        }
        else if (trims && signed != '+' && Current() == '\n')
        {
            position++;
        }

        atLineStart = position > start && source[position - 1] == '\n';
    }

    /// <summary><c>{% raw %}</c>: the text up to <c>{% endraw %}</c> as it stands.</summary>
    private bool TryReadRaw(int tag)
    {
        if (!TryReadBareTag("raw", position, out var bodyStart, out var sign))
            return false;
        position = bodyStart;
        EndTag("", trims: false, sign);
        var body = position;
        for (var next = source.IndexOf("{%", body, StringComparison.Ordinal); next >= 0; next = source.IndexOf("{%", next + 2, StringComparison.Ordinal))
        {
            var inside = next + 2 < source.Length && source[next + 2] is '-' or '+' ? next + 3 : next + 2;
            if (!TryReadBareTag("endraw", inside, out var after, out sign))
                continue;
            atLineStart = false;
            AddText(body, next, '%');
            position = after;
            EndTag("", trims: true, sign);
            return true;
        }

        throw new ChatTemplateException("the tag '{% raw %}' is not closed by '{% endraw %}'.", lines.LineOf(tag));
    }

    private bool TryReadBareTag(string name, int start, out int after, out char sign)
    {
        var at = SkipSpaces(start);
        sign = ' ';
        after = 0;
        if (string.CompareOrdinal(source, at, name, 0, name.Length) != 0)
            return false;
        at = SkipSpaces(at + name.Length);
        if (at < source.Length && source[at] is '-' or '+')
            sign = source[at++];
        after = at + 2;
        return string.CompareOrdinal(source, at, "%}", 0, 2) == 0;
    }

    private int SkipSpaces(int at)
    {
        while (at < source.Length && PythonText.IsSpace(source[at]))
            at++;
        return at;
    }

    /// <summary>Adds the text before a tag, less the whitespace the tag takes.</summary>
    private void AddText(int start, int tag, char kind)
    {
        var text = source.AsSpan(start, tag - start);
        var sign = tag + 2 < source.Length ? source[tag + 2] : ' ';
        if (sign == '-')
        {
            text = PythonText.TrimEnd(text);
        }
        else if (sign != '+' && kind != '{')
        {
            var lineStart = text.LastIndexOf('\n') + 1;
            if ((lineStart > 0 || atLineStart) && PythonText.TrimEnd(text[lineStart..]).IsEmpty)
                text = text[..lineStart];
        }

        if (!text.IsEmpty)
            Add(TokenKind.Text, text.ToString(), start);
    }

    private int FindTag(int from)
    {
        for (var i = source.IndexOf('{', from); i >= 0 && i + 1 < source.Length; i = source.IndexOf('{', i + 1))
        {
            if (source[i + 1] is '{' or '%' or '#')
                return i;
        }

        return -1;
    }

    private char Current() => position < source.Length ? source[position] : '\0';

    private void Add(TokenKind kind, string text, int at) => tokens.Add(new TemplateToken(kind, text, lines.LineOf(at)));
}
