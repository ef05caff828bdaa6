using System.Numerics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Precede barriers and exits in sanitized programs.</summary>
internal static unsafe class SanitizedControl
{
    /// <summary>Slot A holds the barrier; the next operation is the barrier itself.</summary>
    public static Op* BeforeBarrier(Warp* warp, Op* op)
    {
        var id = ((int*)(warp->Registers + op->A))[BitOperations.TrailingZeroCount(warp->Active)] & (Block.BarrierCount - 1);
        Worker.From(warp).Sanitizer!.CheckArrival(warp, op + 1, id);
        return op + 1;
    }

    public static Op* BeforeWarpBarrier(Warp* warp, Op* op)
    {
        Worker.From(warp).Sanitizer!.SynchronizeWarp(warp);
        return op + 1;
    }

    public static Op* BeforeExit(Warp* warp, Op* op)
    {
        Worker.From(warp).Sanitizer!.CheckExit(warp);
        return op + 1;
    }
}
