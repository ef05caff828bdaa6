using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>The barriers of a block: arrival is counted per thread, so lanes of one warp may arrive apart.</summary>
internal static unsafe class BlockBarrier
{
    /// <summary>The active lanes arrive and wait; returns the next operation when they were the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Arrive(Warp* warp, Op* op, int id, int expected, uint predicate)
    {
        var block = warp->Block;
        var barrier = block->Barriers + id;
        barrier->Arrived += BitOperations.PopCount(warp->Active);
        barrier->Votes += BitOperations.PopCount(predicate & warp->Active);
        barrier->Expected = expected;
        barrier->Waiting[warp->Index] |= warp->Active;
        barrier->Site[warp->Index] = (ulong)op;
        WarpScheduler.Park(warp, op + 1);
        warp->Blocked |= warp->Active;
        if (!IsComplete(block, barrier))
            return Op.Event;
        var wasConverged = warp->IsConverged;
        Release(block, barrier);
        if (!wasConverged)
            return Op.Event; // lanes that waited here join the choice of who runs next
        warp->UniformPc = null;
        return op + 1;
    }

    /// <summary>The active lanes arrive without waiting.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ArriveOnly(Warp* warp, int id, int expected)
    {
        var block = warp->Block;
        var barrier = block->Barriers + id;
        barrier->Arrived += BitOperations.PopCount(warp->Active);
        barrier->Expected = expected;
        if (IsComplete(block, barrier))
            Release(block, barrier);
    }

    /// <summary>Threads that exit no longer count, which can complete a barrier others wait at.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ReleaseAfterExit(Block* block)
    {
        for (var id = 0; id < Block.BarrierCount; id++)
        {
            var barrier = block->Barriers + id;
            if (barrier->Arrived > 0 && IsComplete(block, barrier))
                Release(block, barrier);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Reset(Block* block) => new Span<Barrier>(block->Barriers, Block.BarrierCount).Clear();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool IsComplete(Block* block, Barrier* barrier) =>
        barrier->Arrived >= (barrier->Expected == 0 ? block->LiveThreads : barrier->Expected);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Release(Block* block, Barrier* barrier)
    {
        for (var i = 0; i < block->WarpCount; i++)
        {
            var lanes = barrier->Waiting[i];
            if (lanes == 0)
                continue;
            var warp = block->Warps + i;
            BarrierOperations.Deliver(warp, (Op*)barrier->Site[i], lanes, barrier->Votes, barrier->Arrived);
            warp->Blocked &= ~lanes;
            barrier->Waiting[i] = 0;
        }

        barrier->Arrived = 0;
        barrier->Votes = 0;
        block->Epoch++;
    }
}
