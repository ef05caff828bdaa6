using System.Globalization;

namespace DeltaKV.Gpu;

/// <summary>An allocation did not fit; nothing was allocated.</summary>
public sealed class OutOfDeviceMemoryException : AcceleratorException
{
    internal OutOfDeviceMemoryException(string accelerator, long askedBytes, long usedBytes, long limitBytes, Exception? innerException = null)
        : base(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{accelerator}: asked for {askedBytes:N0} bytes with {usedBytes:N0} of {limitBytes:N0} bytes in use. Dispose buffers, ask for less, or raise Accelerator.MemoryLimit."),
            innerException)
    {
        AskedBytes = askedBytes;
        UsedBytes = usedBytes;
        LimitBytes = limitBytes;
    }

    /// <summary>The size of the allocation that failed.</summary>
    public long AskedBytes { get; }

    /// <summary>The bytes this accelerator had allocated.</summary>
    public long UsedBytes { get; }

    /// <summary>The cap, or the size of the device's memory where no cap is set.</summary>
    public long LimitBytes { get; }
}
