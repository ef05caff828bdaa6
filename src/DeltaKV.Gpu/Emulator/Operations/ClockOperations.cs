using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>%clock and %globaltimer, all in host nanoseconds.</summary>
internal static unsafe class ClockOperations
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Read<T>(Warp* warp, Op* op)
        where T : unmanaged, IBinaryInteger<T>
    {
        var nanoseconds = (ulong)Stopwatch.GetElapsedTime(0).Ticks * 100;
        var value = T.CreateTruncating(nanoseconds >> (int)op->Imm);
        var d = (T*)(warp->Registers + op->Dst);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
            d[BitOperations.TrailingZeroCount(lanes)] = value;
        return op + 1;
    }
}
