namespace DeltaKV.Gpu;

/// <summary>A view does not lie in a live buffer of the accelerator that was to use it: disposed, foreign, or out of range.</summary>
public sealed class DeviceMemoryException : AcceleratorException
{
    internal DeviceMemoryException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
