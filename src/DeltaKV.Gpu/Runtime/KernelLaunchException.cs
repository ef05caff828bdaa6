namespace DeltaKV.Gpu;

/// <summary>A launch was refused or failed; the message names the kernel, the configuration and the arguments.</summary>
public sealed class KernelLaunchException : AcceleratorException
{
    internal KernelLaunchException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
