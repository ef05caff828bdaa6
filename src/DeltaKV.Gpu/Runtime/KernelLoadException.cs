namespace DeltaKV.Gpu;

/// <summary>The driver could not turn the PTX of a kernel into code; the message has its log.</summary>
public sealed class KernelLoadException : AcceleratorException
{
    internal KernelLoadException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
