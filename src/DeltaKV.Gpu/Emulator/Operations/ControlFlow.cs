using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Branches, guards and the end of threads. A predicate operand is slot A, inverted by the mask in Aux.</summary>
internal static unsafe class ControlFlow
{
    public const long JumpMark = 0x4A554D50;

    public static bool IsExit(Op* op) => op->Target == Op.Event;

    /// <summary>Unconditional jumps are told apart from branches by what they do with no predicate: Imm marks them.</summary>
    public static bool IsJump(Op* op) => op->Target != null && op->Imm == JumpMark;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Jump(Warp* warp, Op* op) => op->Target;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* BackwardJump(Warp* warp, Op* op) => --warp->Budget > 0 ? op->Target : Yield(warp, op->Target);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Branch(Warp* warp, Op* op)
    {
        var taken = Predicate(warp, op) & warp->Active;
        if (taken == 0)
            return op + 1;
        return taken == warp->Active ? op->Target : WarpScheduler.Diverge(warp, taken, op->Target, op + 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* BackwardBranch(Warp* warp, Op* op)
    {
        var taken = Predicate(warp, op) & warp->Active;
        if (taken == 0)
            return op + 1;
        if (taken == warp->Active)
            return --warp->Budget > 0 ? op->Target : Yield(warp, op->Target);
        var next = WarpScheduler.Diverge(warp, taken, op->Target, op + 1);
        warp->Yielded |= --warp->Budget <= 0 && next == Op.Event;
        return next;
    }

    /// <summary>Runs the next Aux operations (Imm inverts) for the lanes whose predicate holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Guard(Warp* warp, Op* op)
    {
        var active = warp->Active;
        var taken = (*(uint*)(warp->Registers + op->A) ^ (uint)op->Imm) & active;
        if (taken == active)
            return op + 1;
        var end = op + 1 + op->Aux;
        if (taken == 0)
            return end;
        warp->Active = taken;
        for (var guarded = op + 1; guarded < end; guarded++)
            guarded->Diverged(warp, guarded);
        warp->Active = active;
        return end;
    }

    /// <summary>Jumps to one of Aux targets listed in Extra as distances; the index is in slot A.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* BranchIndexed(Warp* warp, Op* op)
    {
        var index = (uint*)(warp->Registers + op->A);
        var active = warp->Active;
        Op* next = null;
        for (var lanes = active; lanes != 0;)
        {
            var chosen = index[System.Numerics.BitOperations.TrailingZeroCount(lanes)];
            uint same = 0;
            for (var lane = 0; lane < Warp.Lanes; lane++)
                same |= index[lane] == chosen ? 1u << lane : 0;
            same &= lanes;
            lanes &= ~same;
            next = op + op->Extra[Math.Min(chosen, (uint)op->Aux - 1)];
            if (same == active)
                return next;
            warp->Active = same;
            WarpScheduler.Park(warp, next);
        }

        warp->Active = active;
        return Op.Event;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Exit(Warp* warp, Op* op)
    {
        WarpScheduler.Retire(warp, warp->Active);
        return Op.Event;
    }

    public static Op* Trap(Warp* warp, Op* op) => throw Worker.From(warp).Trap(warp, op);

    /// <summary>Instructions that mean nothing here: prefetches, cache policies, launch dependencies.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Nothing(Warp* warp, Op* op) => op + 1;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Fence(Warp* warp, Op* op)
    {
        Interlocked.MemoryBarrier();
        return op + 1;
    }

    /// <summary>Gives the other warps their turn: a thread that sleeps waits for something.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Sleep(Warp* warp, Op* op) => warp->Block->WarpCount > 1 ? Yield(warp, op + 1) : op + 1;

    private static uint Predicate(Warp* warp, Op* op) => *(uint*)(warp->Registers + op->A) ^ (uint)op->Aux;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Op* Yield(Warp* warp, Op* target)
    {
        WarpScheduler.Park(warp, target);
        warp->Yielded = true;
        return Op.Event;
    }
}
