namespace DeltaKV.Engine;

/// <summary>A model with the requested context does not fit into the memory of the device. Raised before anything is loaded.</summary>
public sealed class InsufficientDeviceMemoryException : Exception
{
    /// <summary>Creates the exception.</summary>
    public InsufficientDeviceMemoryException(string message, long requiredBytes, long availableBytes)
        : base(message)
    {
        RequiredBytes = requiredBytes;
        AvailableBytes = availableBytes;
    }

    /// <summary>Bytes that would be needed.</summary>
    public long RequiredBytes { get; }

    /// <summary>Bytes that are there.</summary>
    public long AvailableBytes { get; }
}
