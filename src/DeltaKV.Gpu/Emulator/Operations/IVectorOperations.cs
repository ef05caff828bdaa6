using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

// What Apply does to one host vector of lanes. The operations are types, so that a handler contains theirs inlined; where one is short
// (16 bytes of IL) the JIT needs no telling. Those with a generic Apply mean the same in every type, and the "Of" adapters fix it.

/// <summary>d = f(a) in any type of lane.</summary>
internal interface IUnaryOperation
{
    static abstract Vector512<T> Apply<T>(Vector512<T> value)
        where T : unmanaged;
}

/// <summary>d = f(a, b) in any type of lane.</summary>
internal interface IBinaryOperation
{
    static abstract Vector512<T> Apply<T>(Vector512<T> left, Vector512<T> right)
        where T : unmanaged;
}

/// <summary>d = f(a, b, c) in any type of lane.</summary>
internal interface ITernaryOperation
{
    static abstract Vector512<T> Apply<T>(Vector512<T> a, Vector512<T> b, Vector512<T> c)
        where T : unmanaged;
}

/// <summary>d = f(a) between lanes of one width.</summary>
internal interface IUnaryOperation<TIn, TOut>
    where TIn : unmanaged
    where TOut : unmanaged
{
    static abstract Vector512<TOut> Apply(Vector512<TIn> value);
}

/// <summary>d = f(a, b) in one type of lane.</summary>
internal interface IBinaryOperation<T>
    where T : unmanaged
{
    static abstract Vector512<T> Apply(Vector512<T> left, Vector512<T> right);
}

/// <summary>d = f(a, b, c) in one type of lane.</summary>
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

internal readonly struct UnaryOf<T, TOperation> : IUnaryOperation<T, T>
    where T : unmanaged
    where TOperation : struct, IUnaryOperation
{
    public static Vector512<T> Apply(Vector512<T> value) => TOperation.Apply(value);
}

internal readonly struct BinaryOf<T, TOperation> : IBinaryOperation<T>
    where T : unmanaged
    where TOperation : struct, IBinaryOperation
{
    public static Vector512<T> Apply(Vector512<T> left, Vector512<T> right) => TOperation.Apply(left, right);
}

internal readonly struct TernaryOf<T, TOperation> : ITernaryOperation<T>
    where T : unmanaged
    where TOperation : struct, ITernaryOperation
{
    public static Vector512<T> Apply(Vector512<T> a, Vector512<T> b, Vector512<T> c) => TOperation.Apply(a, b, c);
}
