namespace DeltaKV.Tokenization.Templates;

/// <summary>The tokens of a template, read from front to back.</summary>
internal sealed class TokenStream(List<TemplateToken> tokens)
{
    private int position;

    internal TemplateToken Current => tokens[position];

    internal TemplateToken Following => tokens[Math.Min(position + 1, tokens.Count - 1)];

    internal TemplateToken Next() => tokens[position < tokens.Count - 1 ? position++ : position];

    internal bool IsOperator(string text) => Current.Is(TokenKind.Operator, text);

    internal bool IsName(string text) => Current.Is(TokenKind.Name, text);

    internal bool SkipOperator(string text) => Skip(TokenKind.Operator, text);

    internal bool SkipName(string text) => Skip(TokenKind.Name, text);

    internal void ExpectOperator(string text)
    {
        if (!SkipOperator(text))
            throw Unexpected($"'{text}'");
    }

    internal TemplateToken Expect(TokenKind kind, string described) => Current.Kind == kind ? Next() : throw Unexpected(described);

    internal ChatTemplateException Unexpected(string expected) => Error($"expected {expected}, found {Current}.");

    internal ChatTemplateException Error(string message) => new(message, Current.Line);

    private bool Skip(TokenKind kind, string text)
    {
        var matches = Current.Is(kind, text);
        if (matches)
            position++;
        return matches;
    }
}
