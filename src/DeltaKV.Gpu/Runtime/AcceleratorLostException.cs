namespace DeltaKV.Gpu;

/// <summary>A device fault ended the life of an accelerator: its memory and kernels are gone. The first cause is the inner exception.</summary>
public sealed class AcceleratorLostException : AcceleratorException
{
    internal AcceleratorLostException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
