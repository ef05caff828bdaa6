using System.Numerics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Precede barriers and exits in sanitized programs, and stand for commits and waits of asynchronous copies.</summary>
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

    public static Op* CommitCopies(Warp* warp, Op* op)
    {
        Worker.From(warp).Sanitizer!.CommitCopies(warp);
        return op + 1;
    }

    /// <summary>Aux is how many of the newest groups may be on their way still; negative: nothing may, committed or not.</summary>
    public static Op* WaitForCopies(Warp* warp, Op* op)
    {
        var sanitizer = Worker.From(warp).Sanitizer!;
        if (op->Aux < 0)
            sanitizer.CommitCopies(warp);
        sanitizer.WaitForCopies(warp, (uint)Math.Max(op->Aux, 0));
        return op + 1;
    }

    public static Op* BeforeExit(Warp* warp, Op* op)
    {
        Worker.From(warp).Sanitizer!.CheckExit(warp);
        return op + 1;
    }
}
