namespace DeltaKV.Gpu;

/// <summary>A memory or barrier error found while a kernel ran on the CPU accelerator.</summary>
public sealed class KernelSanitizerException : Exception
{
    /// <summary>Creates the exception.</summary>
    public KernelSanitizerException()
        : this("The kernel sanitizer found an error.")
    {
    }

    /// <summary>Creates the exception.</summary>
    public KernelSanitizerException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    public KernelSanitizerException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal KernelSanitizerException(KernelErrorKind kind, string kernel, string place, string source, string detail)
        : base($"{kind} in kernel '{kernel}', {place}, at {source}: {detail}")
    {
        Kind = kind;
        Kernel = kernel;
        Place = place;
        SourceLocation = source;
    }

    /// <summary>What went wrong.</summary>
    public KernelErrorKind Kind { get; }

    /// <summary>Entry name of the kernel.</summary>
    public string Kernel { get; } = "";

    /// <summary>Block and thread, as "block (x, y, z), thread (x, y, z)".</summary>
    public string Place { get; } = "";

    /// <summary>C# file and line when the PTX carries them, otherwise the PTX line.</summary>
    public string SourceLocation { get; } = "";
}
