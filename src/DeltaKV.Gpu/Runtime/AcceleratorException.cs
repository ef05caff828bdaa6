namespace DeltaKV.Gpu;

/// <summary>Something an accelerator could not do. More precise types derive from it.</summary>
public class AcceleratorException : Exception
{
    /// <summary>Creates the exception.</summary>
    public AcceleratorException()
        : this("The accelerator could not do what was asked.")
    {
    }

    /// <summary>Creates the exception.</summary>
    public AcceleratorException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    public AcceleratorException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
