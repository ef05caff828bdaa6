namespace DeltaKV.Gpu;

/// <summary>A kernel stopped itself: a device assert failed, or it executed a trap.</summary>
public sealed class KernelTrapException : Exception
{
    /// <summary>Creates the exception.</summary>
    public KernelTrapException()
        : this("A kernel executed a trap.")
    {
    }

    /// <summary>Creates the exception with where the kernel stopped.</summary>
    public KernelTrapException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with where the kernel stopped.</summary>
    public KernelTrapException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
