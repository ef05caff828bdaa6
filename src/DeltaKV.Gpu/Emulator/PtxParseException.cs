namespace DeltaKV.Gpu;

/// <summary>PTX text that the emulator cannot execute: malformed, or an instruction it does not know.</summary>
public sealed class PtxParseException : Exception
{
    /// <summary>Creates the exception without a position.</summary>
    public PtxParseException()
        : this("The PTX text is malformed.")
    {
    }

    /// <summary>Creates the exception without a position.</summary>
    public PtxParseException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception without a position.</summary>
    public PtxParseException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal PtxParseException(int line, string text, string reason)
        : base($"PTX line {line}: {reason}: '{text}'.") => Line = line;

    /// <summary>One-based line of the PTX text; 0 when unknown.</summary>
    public int Line { get; }
}
