namespace DeltaKV.Gpu;

/// <summary>A view does not lie in a live buffer of the accelerator that was to use it: disposed, foreign, or out of range.</summary>
public sealed class DeviceMemoryException : AcceleratorException
{
    /// <summary>Creates the exception.</summary>
    public DeviceMemoryException()
        : this("The view is not memory of this accelerator.")
    {
    }

    /// <summary>Creates the exception.</summary>
    public DeviceMemoryException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    public DeviceMemoryException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
