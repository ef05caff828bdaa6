namespace DeltaKV.Gpu;

/// <summary>A launch was refused or failed; the message names the kernel, the configuration and the arguments.</summary>
public sealed class KernelLaunchException : AcceleratorException
{
    /// <summary>Creates the exception.</summary>
    public KernelLaunchException()
        : this("The launch failed.")
    {
    }

    /// <summary>Creates the exception.</summary>
    public KernelLaunchException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    public KernelLaunchException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
