namespace DeltaKV.Gpu;

/// <summary>Something an accelerator could not do. More precise types derive from it.</summary>
public abstract class AcceleratorException : Exception
{
    private protected AcceleratorException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
