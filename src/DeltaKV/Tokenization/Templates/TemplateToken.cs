namespace DeltaKV.Tokenization.Templates;

internal enum TokenKind
{
    Text,
    OutputBegin,
    OutputEnd,
    BlockBegin,
    BlockEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>A piece of a template. Of a string the text is its value; of the rest, what stands in the source.</summary>
internal readonly record struct TemplateToken(TokenKind Kind, string Text, int Line)
{
    internal bool Is(TokenKind kind, string text) => Kind == kind && Text == text;

    public override string ToString() => Kind switch
    {
        TokenKind.End => "the end of the template",
        TokenKind.OutputEnd or TokenKind.BlockEnd => $"'{Text}'",
        TokenKind.Text => "text",
        _ => $"'{Text}'",
    };
}
