using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Runs a warp's operations and decides which of its lanes run next.</summary>
internal static unsafe class WarpScheduler
{
    private const int BackwardJumpBudget = 1 << 16;

    /// <summary>Runs until every lane has exited or waits for another warp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(Warp* warp)
    {
        warp->Budget = BackwardJumpBudget;
        warp->Yielded = false;
        while (Select(warp))
        {
            var op = warp->Pc;
            var stop = warp->Stop;
            if (warp->IsConverged)
            {
                while (op < stop)
                    op = op->Converged(warp, op);
            }
            else
            {
                while (op < stop)
                    op = op->Diverged(warp, op);
            }

            if (op != Op.Event)
                Park(warp, op);
            if (warp->Yielded)
                return;
        }
    }

    /// <summary>Records that the active lanes continue at an operation when they are next selected.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Park(Warp* warp, Op* op)
    {
        if (warp->IsConverged)
        {
            warp->UniformPc = op;
            return;
        }

        SetPcs(warp, warp->Active, op);
    }

    /// <summary>Splits the active lanes between two operations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Diverge(Warp* warp, uint taken, Op* target, Op* next)
    {
        var fallen = warp->Active & ~taken;
        if (ControlFlow.IsExit(next))
            return RetireAndContinue(warp, fallen, taken, target);
        if (ControlFlow.IsExit(target))
            return RetireAndContinue(warp, taken, fallen, next);
        SetPcs(warp, taken, target);
        SetPcs(warp, fallen, next);
        return Op.Event;
    }

    /// <summary>Removes lanes that have finished.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Retire(Warp* warp, uint lanes)
    {
        SpreadUniformPc(warp);
        warp->Live &= ~lanes;
        var block = warp->Block;
        block->LiveThreads -= BitOperations.PopCount(lanes);
        BlockBarrier.ReleaseAfterExit(block);
    }

    /// <summary>Waits until every live lane of <paramref name="members"/> is at this operation; null when they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Gather(Warp* warp, Op* op, uint members)
    {
        if (warp->IsConverged || warp->ForceGathered)
        {
            warp->ForceGathered = false;
            return null;
        }

        for (var lane = 0; lane < Warp.Lanes; lane++)
        {
            if ((warp->Gathering >> lane & 1) != 0 && warp->LanePc[lane] == (ulong)op)
            {
                warp->Gathering &= ~(1u << lane);
                warp->Active |= 1u << lane;
            }
        }

        var missing = members & warp->Live & ~warp->Active;
        var canArrive = missing & ~warp->Blocked & ~warp->Gathering;
        if (canArrive == 0)
            return null; // whoever is missing waits elsewhere: hardware leaves this undefined, running on beats hanging
        SetPcs(warp, warp->Active, op);
        warp->Gathering |= warp->Active;
        return Op.Event;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Op* RetireAndContinue(Warp* warp, uint exiting, uint remaining, Op* next)
    {
        SetPcs(warp, remaining, next);
        Retire(warp, exiting);
        warp->Active = remaining;
        return warp->IsConverged ? next : Op.Event;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Select(Warp* warp)
    {
        if (warp->UniformPc != null)
        {
            if (warp->Blocked != 0 || warp->Live == 0)
                return false;
            warp->Active = warp->Live;
            warp->Pc = warp->UniformPc;
            warp->Stop = Op.Event;
            warp->UniformPc = null;
            return true;
        }

        var runnable = warp->Live & ~warp->Blocked & ~warp->Gathering;
        if (runnable == 0)
        {
            runnable = warp->Live & ~warp->Blocked;
            warp->ForceGathered = warp->Gathering != 0;
            warp->Gathering = 0;
            if (runnable == 0)
                return false;
        }

        ulong lowest = ulong.MaxValue, second = ulong.MaxValue;
        uint active = 0;
        for (var lanes = runnable; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            var pc = warp->LanePc[lane];
            if (pc < lowest)
            {
                second = lowest;
                lowest = pc;
                active = 1u << lane;
            }
            else if (pc == lowest)
            {
                active |= 1u << lane;
            }
            else if (pc < second)
            {
                second = pc;
            }
        }

        warp->Active = active;
        warp->Pc = (Op*)lowest;
        warp->Stop = (Op*)second;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SpreadUniformPc(Warp* warp)
    {
        if (warp->UniformPc == null)
            return;
        SetPcs(warp, warp->Live, warp->UniformPc);
        warp->UniformPc = null;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SetPcs(Warp* warp, uint lanes, Op* op)
    {
        for (; lanes != 0; lanes &= lanes - 1)
            warp->LanePc[BitOperations.TrailingZeroCount(lanes)] = (ulong)op;
    }
}
