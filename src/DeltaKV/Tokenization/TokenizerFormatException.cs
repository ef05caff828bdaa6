namespace DeltaKV.Tokenization;

/// <summary>A tokenizer file is damaged, or asks for something this library does not do; the message names which.</summary>
public sealed class TokenizerFormatException : FormatException
{
    /// <summary>Creates the exception with what was found, what was expected and what to do.</summary>
    public TokenizerFormatException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
