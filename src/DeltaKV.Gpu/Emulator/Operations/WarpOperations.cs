using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeltaKV.Gpu.Emulator;

internal enum ShuffleMode
{
    Up,
    Down,
    Butterfly,
    Index,
}

/// <summary>
/// Exchange between lanes. Every operation first gathers the lanes of its member mask: slot Extra[0].
/// </summary>
internal static unsafe class WarpOperations
{
    /// <summary>shfl.sync: A from the lane that B and C select, into Dst; whether it was in range into predicate Imm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Shuffle(Warp* warp, Op* op)
    {
        var wait = Gather(warp, op);
        if (wait != null)
            return wait;
        var r = warp->Registers;
        Vector512<uint> low = LaneVectors.Load<uint>(r + op->A, 0), high = LaneVectors.Load<uint>(r + op->A, 1);
        var (source0, inRange0) = SourceLanes(r, op, 0);
        var (source1, inRange1) = SourceLanes(r, op, 1);
        Vector512<uint> result0, result1;
        if (Avx512F.IsSupported)
        {
            result0 = Avx512F.PermuteVar16x32x2(low, source0.AsUInt32(), high);
            result1 = Avx512F.PermuteVar16x32x2(low, source1.AsUInt32(), high);
        }
        else
        {
            result0 = Pick((uint*)(r + op->A), source0);
            result1 = Pick((uint*)(r + op->A), source1);
        }

        var written = warp->IsConverged ? uint.MaxValue : warp->Active;
        LaneVectors.Store(r + op->Dst, 0, result0, written);
        LaneVectors.Store(r + op->Dst, 1, result1, written);
        if (op->Imm != Predicates.NoSlot)
            Predicates.Write(warp, (int)op->Imm, LaneVectors.Collapse(inRange0, 0) | LaneVectors.Collapse(inRange1, 1));
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* VoteAll(Warp* warp, Op* op) => Vote(warp, op, static (holds, members) => holds == members ? uint.MaxValue : 0);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* VoteAny(Warp* warp, Op* op) => Vote(warp, op, static (holds, _) => holds != 0 ? uint.MaxValue : 0);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* VoteUniform(Warp* warp, Op* op) =>
        Vote(warp, op, static (holds, members) => holds == 0 || holds == members ? uint.MaxValue : 0);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Ballot(Warp* warp, Op* op)
    {
        var wait = Gather(warp, op);
        if (wait != null)
            return wait;
        var holds = (*(uint*)(warp->Registers + op->A) ^ (uint)op->Aux) & warp->Active & Members(warp, op);
        Fill(warp, op->Dst, holds);
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* ActiveMask(Warp* warp, Op* op)
    {
        Fill(warp, op->Dst, warp->Active);
        return op + 1;
    }

    /// <summary>bar.warp.sync.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Synchronize(Warp* warp, Op* op)
    {
        var wait = Gather(warp, op);
        return wait != null ? wait : op + 1;
    }

    /// <summary>elect.sync: the lowest member is the leader, named in Dst and marked in predicate Imm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Elect(Warp* warp, Op* op)
    {
        var wait = Gather(warp, op);
        if (wait != null)
            return wait;
        var leader = BitOperations.TrailingZeroCount(warp->Active & Members(warp, op));
        Fill(warp, op->Dst, (uint)leader);
        Predicates.Write(warp, (int)op->Imm, 1u << leader);
        return op + 1;
    }

    /// <summary>match.any: the lanes whose value equals one's own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* MatchAny<T>(Warp* warp, Op* op)
        where T : unmanaged, IBinaryInteger<T>
    {
        var wait = Gather(warp, op);
        if (wait != null)
            return wait;
        var members = warp->Active & Members(warp, op);
        var a = (T*)(warp->Registers + op->A);
        var d = (uint*)(warp->Registers + op->Dst);
        var results = stackalloc uint[Warp.Lanes];
        for (var lane = 0; lane < Warp.Lanes; lane++)
            results[lane] = EqualLanes(a, a[lane], members);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
            d[BitOperations.TrailingZeroCount(lanes)] = results[BitOperations.TrailingZeroCount(lanes)];
        return op + 1;
    }

    /// <summary>match.all: the member mask when all values agree, else 0; agreement goes to predicate Imm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* MatchAll<T>(Warp* warp, Op* op)
        where T : unmanaged, IBinaryInteger<T>
    {
        var wait = Gather(warp, op);
        if (wait != null)
            return wait;
        var members = warp->Active & Members(warp, op);
        var a = (T*)(warp->Registers + op->A);
        var agree = EqualLanes(a, a[BitOperations.TrailingZeroCount(members)], members) == members;
        Fill(warp, op->Dst, agree ? members : 0);
        if (op->Imm != Predicates.NoSlot)
            Predicates.Write(warp, (int)op->Imm, agree ? uint.MaxValue : 0);
        return op + 1;
    }

    /// <summary>redux.sync.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Reduce<T, TOperation>(Warp* warp, Op* op)
        where T : unmanaged, IBinaryInteger<T>
        where TOperation : struct, IIntegerOperation
    {
        var wait = Gather(warp, op);
        if (wait != null)
            return wait;
        var members = warp->Active & Members(warp, op);
        var a = (T*)(warp->Registers + op->A);
        var result = a[BitOperations.TrailingZeroCount(members)];
        for (var lanes = members & (members - 1); lanes != 0; lanes &= lanes - 1)
            result = TOperation.Apply(result, a[BitOperations.TrailingZeroCount(lanes)]);
        Fill(warp, op->Dst, *(uint*)&result);
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static Op* Vote(Warp* warp, Op* op, Func<uint, uint, uint> decide)
    {
        var wait = Gather(warp, op);
        if (wait != null)
            return wait;
        var members = warp->Active & Members(warp, op);
        var holds = (*(uint*)(warp->Registers + op->A) ^ (uint)op->Aux) & members;
        Predicates.Write(warp, op->Dst, decide(holds, members));
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<int> Lanes, Vector512<int> InRange) SourceLanes(byte* r, Op* op, int part)
    {
        var lane = Vector512.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) + Vector512.Create(16 * part);
        var b = LaneVectors.Load<int>(r + op->B, part) & Vector512.Create(31);
        var c = LaneVectors.Load<int>(r + op->C, part);
        var segment = (c >> 8) & Vector512.Create(31);
        var first = lane & segment;
        var limit = first | (c & Vector512.Create(31) & ~segment);
        Vector512<int> source, inRange;
        switch ((ShuffleMode)op->Aux)
        {
            case ShuffleMode.Up:
                source = lane - b;
                inRange = Vector512.GreaterThanOrEqual(source, limit);
                break;
            case ShuffleMode.Down:
                source = lane + b;
                inRange = Vector512.LessThanOrEqual(source, limit);
                break;
            case ShuffleMode.Butterfly:
                source = lane ^ b;
                inRange = Vector512.LessThanOrEqual(source, limit);
                break;
            default:
                source = first | (b & ~segment);
                inRange = Vector512.LessThanOrEqual(source, limit);
                break;
        }

        return (Vector512.ConditionalSelect(inRange, source, lane), inRange);
    }

    private static Vector512<uint> Pick(uint* values, Vector512<int> lanes)
    {
        var picked = stackalloc uint[16];
        for (var i = 0; i < 16; i++)
            picked[i] = values[lanes[i]];
        return Vector512.Load(picked);
    }

    private static uint EqualLanes<T>(T* values, T value, uint members)
        where T : unmanaged, IBinaryInteger<T>
    {
        uint equal = 0;
        for (var lane = 0; lane < Warp.Lanes; lane++)
            equal |= values[lane] == value ? 1u << lane : 0;
        return equal & members;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Op* Gather(Warp* warp, Op* op) =>
        warp->IsConverged ? null : WarpScheduler.Gather(warp, op, Members(warp, op));

    private static uint Members(Warp* warp, Op* op) =>
        ((uint*)(warp->Registers + op->Extra[0]))[BitOperations.TrailingZeroCount(warp->Active)];

    private static void Fill(Warp* warp, int slot, uint value)
    {
        var written = warp->IsConverged ? uint.MaxValue : warp->Active;
        LaneVectors.Store(warp->Registers + slot, 0, Vector512.Create(value), written);
        LaneVectors.Store(warp->Registers + slot, 1, Vector512.Create(value), written);
    }
}
