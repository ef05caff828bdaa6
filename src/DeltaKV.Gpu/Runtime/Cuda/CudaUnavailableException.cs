namespace DeltaKV.Gpu;

/// <summary>There is no usable GPU; the message says what was found and what to do.</summary>
public sealed class CudaUnavailableException : AcceleratorException
{
    /// <summary>Creates the exception.</summary>
    public CudaUnavailableException()
        : this("There is no usable GPU.")
    {
    }

    /// <summary>Creates the exception.</summary>
    public CudaUnavailableException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    public CudaUnavailableException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    internal CudaUnavailableException(CudaUnavailableReason reason, string message, Exception? innerException = null)
        : base(message, innerException) => Reason = reason;

    /// <summary>Why.</summary>
    public CudaUnavailableReason Reason { get; }
}
