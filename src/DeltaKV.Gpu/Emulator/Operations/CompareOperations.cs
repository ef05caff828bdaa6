using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

internal interface IComparison<T>
    where T : unmanaged
{
    static abstract Vector512<T> Apply(Vector512<T> a, Vector512<T> b);
}

internal readonly struct Equal<T> : IComparison<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.Equals(a, b);
}

/// <summary>Integer inequality, and for floats the unordered one (C#'s <c>!=</c>).</summary>
internal readonly struct NotEqual<T> : IComparison<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => ~Vector512.Equals(a, b);
}

internal readonly struct Less<T> : IComparison<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.LessThan(a, b);
}

internal readonly struct LessOrEqual<T> : IComparison<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.LessThanOrEqual(a, b);
}

/// <summary>a &lt; b or either is NaN.</summary>
internal readonly struct LessUnordered<T> : IComparison<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => ~Vector512.GreaterThanOrEqual(a, b);
}

internal readonly struct LessOrEqualUnordered<T> : IComparison<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => ~Vector512.GreaterThan(a, b);
}

internal readonly struct Ordered<T> : IComparison<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Vector512.Equals(a, a) & Vector512.Equals(b, b);
}

internal readonly struct Unordered<T> : IComparison<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => ~(Vector512.Equals(a, a) & Vector512.Equals(b, b));
}

internal readonly struct OrderedNotEqual<T> : IComparison<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Ordered<T>.Apply(a, b) & ~Vector512.Equals(a, b);
}

internal readonly struct EqualUnordered<T> : IComparison<T>
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b) => Unordered<T>.Apply(a, b) | Vector512.Equals(a, b);
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
    where TComparison : struct, IComparison<T>
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
    public static Op* Run(Warp* warp, Op* op)
    {
        var r = warp->Registers;
        byte* d = r + op->Dst, a = r + op->A, b = r + op->B;
        var chosen = *(uint*)(r + op->C) ^ (uint)op->Aux;
        if (warp->IsConverged)
        {
            for (var part = 0; part < sizeof(T) / 2; part++)
                LaneVectors.Store(d, part, Choose(chosen, a, b, part));
        }
        else
        {
            for (var part = 0; part < sizeof(T) / 2; part++)
                LaneVectors.Store(d, part, Choose(chosen, a, b, part), warp->Active);
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Choose(uint chosen, byte* a, byte* b, int part) =>
        Vector512.ConditionalSelect(LaneVectors.Expand<T>(chosen, part), LaneVectors.Load<T>(a, part), LaneVectors.Load<T>(b, part));
}
