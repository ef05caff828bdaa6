namespace DeltaKV.Gpu;

/// <summary>The driver could not turn the PTX of a kernel into code; the message has its log.</summary>
public sealed class KernelLoadException : AcceleratorException
{
    /// <summary>Creates the exception.</summary>
    public KernelLoadException()
        : this("The kernel could not be loaded.")
    {
    }

    /// <summary>Creates the exception.</summary>
    public KernelLoadException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    public KernelLoadException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
