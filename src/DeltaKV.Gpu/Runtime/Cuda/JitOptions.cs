using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>Options for the driver's assembler, with buffers for what it says. The driver writes to them until the link is destroyed.</summary>
internal sealed unsafe class JitOptions : IDisposable
{
    private const int Most = 8;
    private readonly byte* info;
    private readonly byte* error;

    internal JitOptions(int logBytes)
    {
        Names = (JitOption*)NativeMemory.AllocZeroed(Most, sizeof(JitOption));
        Values = (void**)NativeMemory.AllocZeroed(Most, (nuint)sizeof(void*));
        info = (byte*)NativeMemory.AllocZeroed((nuint)logBytes);
        error = (byte*)NativeMemory.AllocZeroed((nuint)logBytes);
        Add(JitOption.InfoLogBuffer, (nint)info);
        Add(JitOption.InfoLogBufferSizeBytes, logBytes);
        Add(JitOption.ErrorLogBuffer, (nint)error);
        Add(JitOption.ErrorLogBufferSizeBytes, logBytes);
    }

    internal uint Count { get; private set; }

    internal JitOption* Names { get; }

    internal void** Values { get; }

    /// <summary>What the assembler said: errors first.</summary>
    internal string Log => $"{Marshal.PtrToStringUTF8((nint)error)}{Marshal.PtrToStringUTF8((nint)info)}".Trim();

    public void Dispose()
    {
        NativeMemory.Free(Names);
        NativeMemory.Free(Values);
        NativeMemory.Free(info);
        NativeMemory.Free(error);
    }

    internal void Add(JitOption option, nint value)
    {
        Names[Count] = option;
        Values[Count++] = (void*)value;
    }
}
