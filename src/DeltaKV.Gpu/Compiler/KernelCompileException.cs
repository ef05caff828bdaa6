using System.Reflection;

namespace DeltaKV.Gpu;

/// <summary>A method uses something a kernel cannot do; says what, and where it stands in the C# source.</summary>
public sealed class KernelCompileException : Exception
{
    /// <summary>Creates the exception without saying where.</summary>
    public KernelCompileException(string message)
        : base(message) => Reason = message;

    /// <summary>Creates an empty exception.</summary>
    public KernelCompileException()
        : this("The kernel does not compile.")
    {
    }

    /// <summary>Creates the exception with its cause.</summary>
    public KernelCompileException(string message, Exception innerException)
        : base(message, innerException) => Reason = message;

    internal KernelCompileException(string reason, MethodBase method, int ilOffset, string? file, int line, string callers, Exception? cause)
        : base($"{reason}\n   at {Describe(method)} (IL_{ilOffset:x4}){(file is null ? "" : $" in {file}:line {line}")}{callers}", cause)
    {
        Reason = reason;
        Method = method;
        ILOffset = ilOffset;
        File = file;
        Line = line;
    }

    /// <summary>What was found and what to do instead.</summary>
    public string Reason { get; }

    /// <summary>The method it stands in, which may be one the kernel calls.</summary>
    public MethodBase? Method { get; }

    /// <summary>The offset in the method's IL.</summary>
    public int ILOffset { get; }

    /// <summary>The source file, when the assembly has a portable PDB.</summary>
    public string? File { get; }

    /// <summary>The source line, 0 when unknown.</summary>
    public int Line { get; }

    internal static string Describe(MethodBase method) => $"{method.DeclaringType?.Name}.{method.Name}";
}
