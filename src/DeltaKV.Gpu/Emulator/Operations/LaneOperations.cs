using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Emulator;

internal interface ILaneUnary<TA, TOut>
{
    static abstract TOut Apply(TA a);
}

internal interface ILaneBinary<TA, TB, TOut>
{
    static abstract TOut Apply(TA a, TB b);
}

internal interface ILaneTernary<TA, TB, TC, TOut>
{
    static abstract TOut Apply(TA a, TB b, TC c);
}

/// <summary>An operation on two integers of any width.</summary>
internal interface IIntegerOperation
{
    static abstract T Apply<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T>;
}

/// <summary>A number that says something about the bits of an integer of any width.</summary>
internal interface IBitCount
{
    static abstract int Of<T>(T value)
        where T : unmanaged, IBinaryInteger<T>;
}

internal readonly struct IntegerOf<T, TOperation> : ILaneBinary<T, T, T>
    where T : unmanaged, IBinaryInteger<T>
    where TOperation : struct, IIntegerOperation
{
    public static T Apply(T a, T b) => TOperation.Apply(a, b);
}

internal readonly struct BitCountOf<T, TCount> : ILaneUnary<T, uint>
    where T : unmanaged, IBinaryInteger<T>
    where TCount : struct, IBitCount
{
    public static uint Apply(T a) => (uint)TCount.Of(a);
}

/// <summary>Operations too rare, or too scalar by nature, for host vectors: one lane after the other.</summary>
internal static unsafe class LaneUnary<TA, TOut, TOperation>
    where TA : unmanaged
    where TOut : unmanaged
    where TOperation : struct, ILaneUnary<TA, TOut>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        var d = (TOut*)(warp->Registers + op->Dst);
        var a = (TA*)(warp->Registers + op->A);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            d[lane] = TOperation.Apply(a[lane]);
        }

        return op + 1;
    }
}

/// <inheritdoc cref="LaneUnary{TA,TOut,TOperation}"/>
internal static unsafe class LaneBinary<TA, TB, TOut, TOperation>
    where TA : unmanaged
    where TB : unmanaged
    where TOut : unmanaged
    where TOperation : struct, ILaneBinary<TA, TB, TOut>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        var d = (TOut*)(warp->Registers + op->Dst);
        var a = (TA*)(warp->Registers + op->A);
        var b = (TB*)(warp->Registers + op->B);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            d[lane] = TOperation.Apply(a[lane], b[lane]);
        }

        return op + 1;
    }
}

/// <inheritdoc cref="LaneUnary{TA,TOut,TOperation}"/>
internal static unsafe class LaneTernary<TA, TB, TC, TOut, TOperation>
    where TA : unmanaged
    where TB : unmanaged
    where TC : unmanaged
    where TOut : unmanaged
    where TOperation : struct, ILaneTernary<TA, TB, TC, TOut>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        var d = (TOut*)(warp->Registers + op->Dst);
        var a = (TA*)(warp->Registers + op->A);
        var b = (TB*)(warp->Registers + op->B);
        var c = (TC*)(warp->Registers + op->C);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            d[lane] = TOperation.Apply(a[lane], b[lane], c[lane]);
        }

        return op + 1;
    }
}
