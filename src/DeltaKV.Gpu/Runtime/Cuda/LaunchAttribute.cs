using System.Runtime.InteropServices;

namespace DeltaKV.Gpu.Runtime.Cuda;

/// <summary>The driver's <c>CUlaunchAttribute</c>: an id, and a union of 64 bytes of which a flag takes the first four.</summary>
[StructLayout(LayoutKind.Sequential, Size = 72)]
internal struct LaunchAttribute
{
    /// <summary>The kernel may begin before its predecessor on the stream has ended.</summary>
    public const uint ProgrammaticStreamSerialization = 6;

    public uint Id;
    public uint Padding;
    public int Flag;
}
