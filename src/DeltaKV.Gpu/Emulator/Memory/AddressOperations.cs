using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Between generic addresses, which are host addresses, and offsets within shared or local memory.</summary>
internal static unsafe class AddressOperations
{
    /// <summary>cvta: Imm is +1 towards generic and -1 away from it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* ConvertShared(Warp* warp, Op* op) => Convert(warp, op, (long)warp->Shared, 0);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* ConvertLocal(Warp* warp, Op* op) => Convert(warp, op, (long)warp->Local, warp->LocalBytes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* IsShared(Warp* warp, Op* op)
    {
        Predicates.Write(warp, op->Dst, Inside(warp, op, (ulong)warp->Shared, (ulong)warp->Block->SharedBytes));
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* IsLocal(Warp* warp, Op* op)
    {
        Predicates.Write(warp, op->Dst, Inside(warp, op, (ulong)warp->Local, (ulong)warp->LocalBytes * Warp.Lanes));
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* IsGlobal(Warp* warp, Op* op)
    {
        var elsewhere = Inside(warp, op, (ulong)warp->Shared, (ulong)warp->Block->SharedBytes)
            | Inside(warp, op, (ulong)warp->Local, (ulong)warp->LocalBytes * Warp.Lanes);
        Predicates.Write(warp, op->Dst, ~elsewhere);
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Op* Convert(Warp* warp, Op* op, long origin, long perLane)
    {
        var d = (long*)(warp->Registers + op->Dst);
        var a = (long*)(warp->Registers + op->A);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            d[lane] = a[lane] + (op->Imm * (origin + (perLane * lane)));
        }

        return op + 1;
    }

    private static uint Inside(Warp* warp, Op* op, ulong origin, ulong bytes)
    {
        var a = (ulong*)(warp->Registers + op->A);
        uint result = 0;
        for (var lane = 0; lane < Warp.Lanes; lane++)
            result |= a[lane] - origin < bytes ? 1u << lane : 0;
        return result;
    }
}
