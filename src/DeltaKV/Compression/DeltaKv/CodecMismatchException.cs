namespace DeltaKV.Compression.DeltaKv;

/// <summary>A codec file is damaged, of another version, or of another model; the message names both sides.</summary>
public sealed class CodecMismatchException : Exception
{
    /// <summary>An exception without a message.</summary>
    public CodecMismatchException()
    {
    }

    /// <summary>An exception that says what was found, what was expected and what to do.</summary>
    public CodecMismatchException(string message)
        : base(message)
    {
    }

    /// <summary>The same, with its cause.</summary>
    public CodecMismatchException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
