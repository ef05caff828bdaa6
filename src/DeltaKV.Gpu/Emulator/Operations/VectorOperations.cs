using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

internal interface IUnaryOperation<TIn, TOut>
    where TIn : unmanaged
    where TOut : unmanaged
{
    static abstract Vector512<TOut> Apply(Vector512<TIn> value);
}

internal interface IBinaryOperation<T>
    where T : unmanaged
{
    static abstract Vector512<T> Apply(Vector512<T> left, Vector512<T> right);
}

internal interface ITernaryOperation<T>
    where T : unmanaged
{
    static abstract Vector512<T> Apply(Vector512<T> a, Vector512<T> b, Vector512<T> c);
}

/// <summary>From 32-bit lanes to 64-bit lanes.</summary>
internal interface IWideningOperation<TIn, TOut>
    where TIn : unmanaged
    where TOut : unmanaged
{
    static abstract (Vector512<TOut> Lower, Vector512<TOut> Upper) Apply(Vector512<TIn> value);
}

/// <summary>From 64-bit lanes to 32-bit lanes.</summary>
internal interface INarrowingOperation<TIn, TOut>
    where TIn : unmanaged
    where TOut : unmanaged
{
    static abstract Vector512<TOut> Apply(Vector512<TIn> lower, Vector512<TIn> upper);
}

/// <summary>d = f(a) with source and destination of one width.</summary>
internal static unsafe class VectorUnary<TIn, TOut, TOperation>
    where TIn : unmanaged
    where TOut : unmanaged
    where TOperation : struct, IUnaryOperation<TIn, TOut>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Converged(Warp* warp, Op* op)
    {
        byte* d = warp->Registers + op->Dst, a = warp->Registers + op->A;
        LaneVectors.Store(d, 0, TOperation.Apply(LaneVectors.Load<TIn>(a, 0)));
        LaneVectors.Store(d, 1, TOperation.Apply(LaneVectors.Load<TIn>(a, 1)));
        if (sizeof(TIn) == 8)
        {
            LaneVectors.Store(d, 2, TOperation.Apply(LaneVectors.Load<TIn>(a, 2)));
            LaneVectors.Store(d, 3, TOperation.Apply(LaneVectors.Load<TIn>(a, 3)));
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Diverged(Warp* warp, Op* op)
    {
        byte* d = warp->Registers + op->Dst, a = warp->Registers + op->A;
        for (var part = 0; part < sizeof(TIn) / 2; part++)
            LaneVectors.Store(d, part, TOperation.Apply(LaneVectors.Load<TIn>(a, part)), warp->Active);
        return op + 1;
    }
}

/// <summary>d = f(a, b).</summary>
internal static unsafe class VectorBinary<T, TOperation>
    where T : unmanaged
    where TOperation : struct, IBinaryOperation<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Converged(Warp* warp, Op* op)
    {
        byte* d = warp->Registers + op->Dst, a = warp->Registers + op->A, b = warp->Registers + op->B;
        LaneVectors.Store(d, 0, TOperation.Apply(LaneVectors.Load<T>(a, 0), LaneVectors.Load<T>(b, 0)));
        LaneVectors.Store(d, 1, TOperation.Apply(LaneVectors.Load<T>(a, 1), LaneVectors.Load<T>(b, 1)));
        if (sizeof(T) == 8)
        {
            LaneVectors.Store(d, 2, TOperation.Apply(LaneVectors.Load<T>(a, 2), LaneVectors.Load<T>(b, 2)));
            LaneVectors.Store(d, 3, TOperation.Apply(LaneVectors.Load<T>(a, 3), LaneVectors.Load<T>(b, 3)));
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Diverged(Warp* warp, Op* op)
    {
        byte* d = warp->Registers + op->Dst, a = warp->Registers + op->A, b = warp->Registers + op->B;
        for (var part = 0; part < sizeof(T) / 2; part++)
            LaneVectors.Store(d, part, TOperation.Apply(LaneVectors.Load<T>(a, part), LaneVectors.Load<T>(b, part)), warp->Active);
        return op + 1;
    }
}

/// <summary>d = f(a, b, c).</summary>
internal static unsafe class VectorTernary<T, TOperation>
    where T : unmanaged
    where TOperation : struct, ITernaryOperation<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Converged(Warp* warp, Op* op)
    {
        var r = warp->Registers;
        byte* d = r + op->Dst, a = r + op->A, b = r + op->B, c = r + op->C;
        LaneVectors.Store(d, 0, Apply(a, b, c, 0));
        LaneVectors.Store(d, 1, Apply(a, b, c, 1));
        if (sizeof(T) == 8)
        {
            LaneVectors.Store(d, 2, Apply(a, b, c, 2));
            LaneVectors.Store(d, 3, Apply(a, b, c, 3));
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Diverged(Warp* warp, Op* op)
    {
        var r = warp->Registers;
        byte* d = r + op->Dst, a = r + op->A, b = r + op->B, c = r + op->C;
        for (var part = 0; part < sizeof(T) / 2; part++)
            LaneVectors.Store(d, part, Apply(a, b, c, part), warp->Active);
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
    public static Op* Converged(Warp* warp, Op* op)
    {
        byte* d = warp->Registers + op->Dst, a = warp->Registers + op->A;
        var (d0, d1) = TOperation.Apply(LaneVectors.Load<TIn>(a, 0));
        var (d2, d3) = TOperation.Apply(LaneVectors.Load<TIn>(a, 1));
        LaneVectors.Store(d, 0, d0);
        LaneVectors.Store(d, 1, d1);
        LaneVectors.Store(d, 2, d2);
        LaneVectors.Store(d, 3, d3);
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Diverged(Warp* warp, Op* op)
    {
        byte* d = warp->Registers + op->Dst, a = warp->Registers + op->A;
        var (d0, d1) = TOperation.Apply(LaneVectors.Load<TIn>(a, 0));
        var (d2, d3) = TOperation.Apply(LaneVectors.Load<TIn>(a, 1));
        LaneVectors.Store(d, 0, d0, warp->Active);
        LaneVectors.Store(d, 1, d1, warp->Active);
        LaneVectors.Store(d, 2, d2, warp->Active);
        LaneVectors.Store(d, 3, d3, warp->Active);
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
    public static Op* Converged(Warp* warp, Op* op)
    {
        byte* d = warp->Registers + op->Dst, a = warp->Registers + op->A;
        LaneVectors.Store(d, 0, TOperation.Apply(LaneVectors.Load<TIn>(a, 0), LaneVectors.Load<TIn>(a, 1)));
        LaneVectors.Store(d, 1, TOperation.Apply(LaneVectors.Load<TIn>(a, 2), LaneVectors.Load<TIn>(a, 3)));
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Diverged(Warp* warp, Op* op)
    {
        byte* d = warp->Registers + op->Dst, a = warp->Registers + op->A;
        var low = TOperation.Apply(LaneVectors.Load<TIn>(a, 0), LaneVectors.Load<TIn>(a, 1));
        var high = TOperation.Apply(LaneVectors.Load<TIn>(a, 2), LaneVectors.Load<TIn>(a, 3));
        LaneVectors.Store(d, 0, low, warp->Active);
        LaneVectors.Store(d, 1, high, warp->Active);
        return op + 1;
    }
}
