using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Emulator;

internal enum BarrierReduction
{
    None,
    Count,
    And,
    Or,
}

/// <summary>bar.sync, bar.arrive and bar.red. Slot A holds the barrier, B the thread count, C the predicate when Imm's reduction needs one.</summary>
internal static unsafe class BarrierOperations
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Sync(Warp* warp, Op* op)
    {
        var id = First(warp, op->A) & (Block.BarrierCount - 1);
        var reduction = (BarrierReduction)op->Imm;
        var predicate = reduction == BarrierReduction.None ? 0 : *(uint*)(warp->Registers + op->C) ^ (uint)op->Aux;
        return BlockBarrier.Arrive(warp, op, id, First(warp, op->B), predicate);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Arrive(Warp* warp, Op* op)
    {
        BlockBarrier.ArriveOnly(warp, First(warp, op->A) & (Block.BarrierCount - 1), First(warp, op->B));
        return op + 1;
    }

    /// <summary>Writes the result of a reduction to the lanes that waited for it.</summary>
    public static void Deliver(Warp* warp, Op* site, uint lanes, int votes, int arrived)
    {
        var reduction = (BarrierReduction)site->Imm;
        switch (reduction)
        {
            case BarrierReduction.Count:
                var count = (int*)(warp->Registers + site->Dst);
                for (; lanes != 0; lanes &= lanes - 1)
                    count[BitOperations.TrailingZeroCount(lanes)] = votes;
                break;
            case BarrierReduction.And or BarrierReduction.Or:
                var result = (uint*)(warp->Registers + site->Dst);
                var holds = reduction == BarrierReduction.And ? votes == arrived : votes > 0;
                *result = holds ? *result | lanes : *result & ~lanes;
                break;
            default:
                break;
        }
    }

    private static int First(Warp* warp, int slot) =>
        ((int*)(warp->Registers + slot))[BitOperations.TrailingZeroCount(warp->Active)];
}
