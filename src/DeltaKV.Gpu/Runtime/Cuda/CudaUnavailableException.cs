namespace DeltaKV.Gpu;

/// <summary>There is no usable GPU; the message says what was found and what to do.</summary>
public sealed class CudaUnavailableException : AcceleratorException
{
    internal CudaUnavailableException(CudaUnavailableReason reason, string message, Exception? innerException = null)
        : base(message, innerException) => Reason = reason;

    /// <summary>Why.</summary>
    public CudaUnavailableReason Reason { get; }
}
