using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Asks the host for a cache line that will soon be read; addresses that do not exist are ignored.</summary>
internal static unsafe class HostPrefetch
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line(byte* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address);
    }
}
