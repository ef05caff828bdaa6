namespace DeltaKV.Gpu;

/// <summary>A device fault ended the life of an accelerator: its memory and kernels are gone. The first cause is the inner exception.</summary>
public sealed class AcceleratorLostException : AcceleratorException
{
    /// <summary>Creates the exception.</summary>
    public AcceleratorLostException()
        : this("The accelerator is lost.")
    {
    }

    /// <summary>Creates the exception.</summary>
    public AcceleratorLostException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    public AcceleratorLostException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
