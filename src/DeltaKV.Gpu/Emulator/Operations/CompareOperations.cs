using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

// Comparisons give all bits or none in every lane.

internal readonly struct Equal : IBinaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => Vector512.Equals(left, right);
}

/// <summary>Integer inequality, and for floats the unordered one (C#'s <c>!=</c>).</summary>
internal readonly struct NotEqual : IBinaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => ~Vector512.Equals(left, right);
}

internal readonly struct Less : IBinaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => Vector512.LessThan(left, right);
}

internal readonly struct LessOrEqual : IBinaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => Vector512.LessThanOrEqual(left, right);
}

/// <summary>a &lt; b or either is NaN.</summary>
internal readonly struct LessUnordered : IBinaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => ~Vector512.GreaterThanOrEqual(left, right);
}

internal readonly struct LessOrEqualUnordered : IBinaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => ~Vector512.GreaterThan(left, right);
}

internal readonly struct Ordered : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => Vector512.Equals(left, left) & Vector512.Equals(right, right);
}

internal readonly struct Unordered : IBinaryOperation
{
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => ~Ordered.Apply(left, right);
}

internal readonly struct OrderedNotEqual : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => Ordered.Apply(left, right) & ~Vector512.Equals(left, right);
}

internal readonly struct EqualUnordered : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged => Unordered.Apply(left, right) | Vector512.Equals(left, right);
}

internal enum PredicateCombination
{
    None,
    And,
    Or,
    Xor,
}

/// <summary>setp: slot Dst receives the comparison, slot Imm (unless <see cref="Predicates.NoSlot"/>) its complement.</summary>
internal static unsafe class Compare<T, TComparison>
    where T : unmanaged
    where TComparison : struct, IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Plain(Warp* warp, Op* op)
    {
        Predicates.Write(warp, op->Dst, Evaluate(warp, op));
        return op + 1;
    }

    /// <summary>Combines with the predicate in slot C as Aux says; its sign bit inverts that predicate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Combined(Warp* warp, Op* op)
    {
        var result = Evaluate(warp, op);
        var other = *(uint*)(warp->Registers + op->C) ^ (uint)(op->Aux >> 31);
        var combination = (PredicateCombination)(op->Aux & 0xFF);
        Predicates.Write(warp, op->Dst, Predicates.Combine(result, other, combination));
        if (op->Imm != Predicates.NoSlot)
            Predicates.Write(warp, (int)op->Imm, Predicates.Combine(~result, other, combination));
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Evaluate(Warp* warp, Op* op)
    {
        byte* a = warp->Registers + op->A, b = warp->Registers + op->B;
        var result = Evaluate(a, b, 0) | Evaluate(a, b, 1);
        if (sizeof(T) == 8)
            result |= Evaluate(a, b, 2) | Evaluate(a, b, 3);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Evaluate(byte* a, byte* b, int part) =>
        LaneVectors.Collapse(TComparison.Apply(LaneVectors.Load<T>(a, part), LaneVectors.Load<T>(b, part)), part);
}

/// <summary>Predicate registers and the instructions that read or write them as a whole.</summary>
internal static unsafe class Predicates
{
    public const long NoSlot = long.MinValue;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(Warp* warp, int slot, uint value)
    {
        var predicate = (uint*)(warp->Registers + slot);
        var active = warp->Active;
        *predicate = (*predicate & ~active) | (value & active);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Combine(uint value, uint other, PredicateCombination combination) => combination switch
    {
        PredicateCombination.And => value & other,
        PredicateCombination.Or => value | other,
        PredicateCombination.Xor => value ^ other,
        _ => value,
    };

    /// <summary>and/or/xor/not/mov on predicates: A and B, inverted by bits 0 and 1 of Aux, combined as Imm says.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Logic(Warp* warp, Op* op)
    {
        var a = *(uint*)(warp->Registers + op->A) ^ (uint)-(op->Aux & 1);
        var b = *(uint*)(warp->Registers + op->B) ^ (uint)-(op->Aux >> 1 & 1);
        Write(warp, op->Dst, Combine(a, b, (PredicateCombination)op->Imm));
        return op + 1;
    }
}

/// <summary>selp: slot C's predicate, inverted by Aux, chooses between A and B.</summary>
internal static unsafe class Select<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run<TLanes>(Warp* warp, Op* op)
        where TLanes : struct, IWrittenLanes
    {
        var r = warp->Registers;
        byte* d = r + op->Dst, a = r + op->A, b = r + op->B;
        var chosen = *(uint*)(r + op->C) ^ (uint)op->Aux;
        for (var part = 0; part < sizeof(T) / 2; part++)
        {
            var mask = LaneVectors.Expand<T>(chosen, part);
            TLanes.Store(warp, d, part, Vector512.ConditionalSelect(mask, LaneVectors.Load<T>(a, part), LaneVectors.Load<T>(b, part)));
        }

        return op + 1;
    }
}
