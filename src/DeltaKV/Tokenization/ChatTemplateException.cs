namespace DeltaKV.Tokenization;

/// <summary>
/// A chat template uses something unsupported, fails on the given messages, or refuses them itself; the message says which and where.
/// </summary>
public sealed class ChatTemplateException : Exception
{
    internal ChatTemplateException(string message, int line, bool isRaisedByTemplate = false, Exception? innerException = null)
        : base($"Chat template, line {line}: {message}", innerException)
    {
        Line = line;
        IsRaisedByTemplate = isRaisedByTemplate;
    }

    /// <summary>The line of the template, counted from 1.</summary>
    public int Line { get; }

    /// <summary>Whether the template itself refused the messages with <c>raise_exception</c>, such as for roles out of order.</summary>
    public bool IsRaisedByTemplate { get; }
}
