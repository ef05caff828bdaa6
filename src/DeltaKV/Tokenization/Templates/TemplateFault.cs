namespace DeltaKV.Tokenization.Templates;

/// <summary>
/// An error in an expression; the statement it happens in knows the line and turns it into a <see cref="ChatTemplateException"/>.
/// </summary>
internal sealed class TemplateFault(string message, bool isRaisedByTemplate = false) : Exception(message)
{
    internal bool IsRaisedByTemplate { get; } = isRaisedByTemplate;
}
