using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Emulator;

internal interface IAtomicOperation<T>
    where T : unmanaged
{
    static abstract T Apply(T old, T b, T c);
}

/// <summary>
/// atom and red: the old value goes to Dst unless that is <see cref="AtomicDestination.None"/>. Lanes take turns; only other
/// cores need the interlocked form, so shared memory, which belongs to one thread of the host, does without.
/// </summary>
internal static unsafe class Atomic<TAddressing, T, TOperation>
    where TAddressing : struct, IAddressing
    where T : unmanaged, IBinaryInteger<T>
    where TOperation : struct, IAtomicOperation<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        var r = warp->Registers;
        T* b = (T*)(r + op->B), c = (T*)(r + op->C);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            var address = (T*)TAddressing.Address(warp, op, lane);
            var old = typeof(TAddressing) == typeof(SharedAddressing)
                ? Replace(address, TOperation.Apply(*address, b[lane], c[lane]))
                : Exchange(address, b[lane], c[lane]);
            if (op->Dst != AtomicDestination.None)
                ((T*)(r + op->Dst))[lane] = old;
        }

        return op + 1;
    }

    private static T Replace(T* address, T value)
    {
        var old = *address;
        *address = value;
        return old;
    }

    private static T Exchange(T* address, T b, T c)
    {
        var seen = *address;
        while (true)
        {
            var old = Interlocked.CompareExchange(ref *address, TOperation.Apply(seen, b, c), seen);
            if (old == seen)
                return old;
            seen = old;
        }
    }
}

internal static class AtomicDestination
{
    public const int None = int.MinValue;
}

internal readonly struct AtomicAdd<T> : IAtomicOperation<T>
    where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T old, T b, T c) => unchecked(old + b);
}

internal readonly struct AtomicAnd<T> : IAtomicOperation<T>
    where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T old, T b, T c) => old & b;
}

internal readonly struct AtomicOr<T> : IAtomicOperation<T>
    where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T old, T b, T c) => old | b;
}

internal readonly struct AtomicXor<T> : IAtomicOperation<T>
    where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T old, T b, T c) => old ^ b;
}

internal readonly struct AtomicMinimum<T> : IAtomicOperation<T>
    where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T old, T b, T c) => T.Min(old, b);
}

internal readonly struct AtomicMaximum<T> : IAtomicOperation<T>
    where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T old, T b, T c) => T.Max(old, b);
}

internal readonly struct AtomicExchange<T> : IAtomicOperation<T>
    where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T old, T b, T c) => b;
}

/// <summary>b is what the memory must hold, c what then replaces it.</summary>
internal readonly struct AtomicCompareExchange<T> : IAtomicOperation<T>
    where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Apply(T old, T b, T c) => old == b ? c : old;
}

internal readonly struct AtomicIncrement : IAtomicOperation<uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint old, uint b, uint c) => old >= b ? 0 : old + 1;
}

internal readonly struct AtomicDecrement : IAtomicOperation<uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint old, uint b, uint c) => old == 0 || old > b ? b : old - 1;
}

internal readonly struct AtomicAddSingle : IAtomicOperation<uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint old, uint b, uint c) =>
        BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle(old) + BitConverter.UInt32BitsToSingle(b));
}

internal readonly struct AtomicAddDouble : IAtomicOperation<ulong>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong old, ulong b, ulong c) =>
        BitConverter.DoubleToUInt64Bits(BitConverter.UInt64BitsToDouble(old) + BitConverter.UInt64BitsToDouble(b));
}

internal readonly struct AtomicAddHalves<TFormat> : IAtomicOperation<uint>
    where TFormat : struct, IHalfFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint old, uint b, uint c) =>
        Add((ushort)old, (ushort)b) | ((uint)Add((ushort)(old >> 16), (ushort)(b >> 16)) << 16);

    private static ushort Add(ushort x, ushort y) =>
        TFormat.FromDouble(TFormat.ToDouble(x) + TFormat.ToDouble(y), RoundingMode.NearestEven);
}
