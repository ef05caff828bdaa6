using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Which lanes of its result a handler writes.</summary>
internal unsafe interface IWrittenLanes
{
    static abstract void Store<T>(Warp* warp, byte* register, int part, Vector512<T> value)
        where T : unmanaged;
}

/// <summary>For converged warps: dead lanes may be overwritten.</summary>
internal readonly unsafe struct AllLanes : IWrittenLanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(Warp* warp, byte* register, int part, Vector512<T> value)
        where T : unmanaged => LaneVectors.Store(register, part, value);
}

/// <summary>For diverged warps: inactive lanes keep what they hold.</summary>
internal readonly unsafe struct ActiveLanes : IWrittenLanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(Warp* warp, byte* register, int part, Vector512<T> value)
        where T : unmanaged => LaneVectors.Store(register, part, value, warp->Active);
}

/// <summary>d = f(a) with source and destination of one width.</summary>
internal static unsafe class VectorUnary<TIn, TOut, TOperation>
    where TIn : unmanaged
    where TOut : unmanaged
    where TOperation : struct, IUnaryOperation<TIn, TOut>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run<TLanes>(Warp* warp, Op* op)
        where TLanes : struct, IWrittenLanes
    {
        byte* d = warp->Registers + op->Dst, a = warp->Registers + op->A;
        TLanes.Store(warp, d, 0, TOperation.Apply(LaneVectors.Load<TIn>(a, 0)));
        TLanes.Store(warp, d, 1, TOperation.Apply(LaneVectors.Load<TIn>(a, 1)));
        if (sizeof(TIn) == 8)
        {
            TLanes.Store(warp, d, 2, TOperation.Apply(LaneVectors.Load<TIn>(a, 2)));
            TLanes.Store(warp, d, 3, TOperation.Apply(LaneVectors.Load<TIn>(a, 3)));
        }

        return op + 1;
    }
}

/// <summary>d = f(a, b).</summary>
internal static unsafe class VectorBinary<T, TOperation>
    where T : unmanaged
    where TOperation : struct, IBinaryOperation<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run<TLanes>(Warp* warp, Op* op)
        where TLanes : struct, IWrittenLanes
    {
        byte* d = warp->Registers + op->Dst, a = warp->Registers + op->A, b = warp->Registers + op->B;
        TLanes.Store(warp, d, 0, TOperation.Apply(LaneVectors.Load<T>(a, 0), LaneVectors.Load<T>(b, 0)));
        TLanes.Store(warp, d, 1, TOperation.Apply(LaneVectors.Load<T>(a, 1), LaneVectors.Load<T>(b, 1)));
        if (sizeof(T) == 8)
        {
            TLanes.Store(warp, d, 2, TOperation.Apply(LaneVectors.Load<T>(a, 2), LaneVectors.Load<T>(b, 2)));
            TLanes.Store(warp, d, 3, TOperation.Apply(LaneVectors.Load<T>(a, 3), LaneVectors.Load<T>(b, 3)));
        }

        return op + 1;
    }
}

/// <summary>d = f(a, b, c).</summary>
internal static unsafe class VectorTernary<T, TOperation>
    where T : unmanaged
    where TOperation : struct, ITernaryOperation<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run<TLanes>(Warp* warp, Op* op)
        where TLanes : struct, IWrittenLanes
    {
        var r = warp->Registers;
        byte* d = r + op->Dst, a = r + op->A, b = r + op->B, c = r + op->C;
        TLanes.Store(warp, d, 0, Apply(a, b, c, 0));
        TLanes.Store(warp, d, 1, Apply(a, b, c, 1));
        if (sizeof(T) == 8)
        {
            TLanes.Store(warp, d, 2, Apply(a, b, c, 2));
            TLanes.Store(warp, d, 3, Apply(a, b, c, 3));
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Apply(byte* a, byte* b, byte* c, int part) =>
        TOperation.Apply(LaneVectors.Load<T>(a, part), LaneVectors.Load<T>(b, part), LaneVectors.Load<T>(c, part));
}

/// <summary>d = f(a) where d has 64-bit lanes and a 32-bit ones.</summary>
internal static unsafe class Widening<TIn, TOut, TOperation>
    where TIn : unmanaged
    where TOut : unmanaged
    where TOperation : struct, IWideningOperation<TIn, TOut>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run<TLanes>(Warp* warp, Op* op)
        where TLanes : struct, IWrittenLanes
    {
        byte* d = warp->Registers + op->Dst, a = warp->Registers + op->A;
        var (d0, d1) = TOperation.Apply(LaneVectors.Load<TIn>(a, 0));
        var (d2, d3) = TOperation.Apply(LaneVectors.Load<TIn>(a, 1));
        TLanes.Store(warp, d, 0, d0);
        TLanes.Store(warp, d, 1, d1);
        TLanes.Store(warp, d, 2, d2);
        TLanes.Store(warp, d, 3, d3);
        return op + 1;
    }
}

/// <summary>d = f(a) where d has 32-bit lanes and a 64-bit ones.</summary>
internal static unsafe class Narrowing<TIn, TOut, TOperation>
    where TIn : unmanaged
    where TOut : unmanaged
    where TOperation : struct, INarrowingOperation<TIn, TOut>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run<TLanes>(Warp* warp, Op* op)
        where TLanes : struct, IWrittenLanes
    {
        byte* d = warp->Registers + op->Dst, a = warp->Registers + op->A;
        var low = TOperation.Apply(LaneVectors.Load<TIn>(a, 0), LaneVectors.Load<TIn>(a, 1));
        var high = TOperation.Apply(LaneVectors.Load<TIn>(a, 2), LaneVectors.Load<TIn>(a, 3));
        TLanes.Store(warp, d, 0, low);
        TLanes.Store(warp, d, 1, high);
        return op + 1;
    }
}

/// <summary>mul.wide and mad.wide: d = a * b + c with 64-bit d and c; a zero constant serves the former.</summary>
internal static unsafe class WideMultiplyAdd<TIn, TOut, TExtension>
    where TIn : unmanaged
    where TOut : unmanaged
    where TExtension : struct, IWideningOperation<TIn, TOut>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run<TLanes>(Warp* warp, Op* op)
        where TLanes : struct, IWrittenLanes
    {
        var r = warp->Registers;
        byte* d = r + op->Dst, a = r + op->A, b = r + op->B, c = r + op->C;
        var (a0, a1) = TExtension.Apply(LaneVectors.Load<TIn>(a, 0));
        var (a2, a3) = TExtension.Apply(LaneVectors.Load<TIn>(a, 1));
        var (b0, b1) = TExtension.Apply(LaneVectors.Load<TIn>(b, 0));
        var (b2, b3) = TExtension.Apply(LaneVectors.Load<TIn>(b, 1));
        TLanes.Store(warp, d, 0, (a0 * b0) + LaneVectors.Load<TOut>(c, 0));
        TLanes.Store(warp, d, 1, (a1 * b1) + LaneVectors.Load<TOut>(c, 1));
        TLanes.Store(warp, d, 2, (a2 * b2) + LaneVectors.Load<TOut>(c, 2));
        TLanes.Store(warp, d, 3, (a3 * b3) + LaneVectors.Load<TOut>(c, 3));
        return op + 1;
    }
}
