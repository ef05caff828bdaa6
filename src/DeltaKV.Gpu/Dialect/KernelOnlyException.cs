using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu;

/// <summary>Thrown when a member that only means something inside a kernel is called on the host.</summary>
public sealed class KernelOnlyException : InvalidOperationException
{
    /// <summary>Creates the exception for the named member.</summary>
    public KernelOnlyException(string member)
        : base($"{member} exists only inside a kernel. Load the method that calls it with Accelerator.LoadStreamKernel and launch it.")
    {
    }

    /// <summary>Creates the exception without naming a member.</summary>
    public KernelOnlyException()
        : this("This member")
    {
    }

    /// <summary>Creates the exception with a message of its own and the exception that caused it.</summary>
    public KernelOnlyException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal static KernelOnlyException Here([CallerMemberName] string member = "") => new(member);
}
