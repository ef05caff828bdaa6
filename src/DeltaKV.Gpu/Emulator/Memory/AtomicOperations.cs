using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>
/// atom and red: the old value goes to Dst unless that is <see cref="AtomicDestination.None"/>. Lanes take turns; only other
/// cores need the interlocked form, so shared memory, which belongs to one thread of the host, does without.
/// </summary>
internal static unsafe class Atomic<TAddressing, T>
    where TAddressing : struct, IAddressing
    where T : unmanaged, IBinaryInteger<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run<TOperation>(Warp* warp, Op* op)
        where TOperation : struct, ILaneBinary<T, T, T>
    {
        var operand = (T*)(warp->Registers + op->B);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            var address = (T*)TAddressing.Address(warp, op, lane);
            var seen = *address;
            while (true)
            {
                var old = Swap(address, seen, TOperation.Apply(seen, operand[lane]));
                if (old == seen)
                    break;
                seen = old;
            }

            Return(warp, op, lane, seen);
        }

        return op + 1;
    }

    /// <summary>cas: slot B is what the memory must hold, slot C what then replaces it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* CompareExchange(Warp* warp, Op* op)
    {
        T* expected = (T*)(warp->Registers + op->B), replacement = (T*)(warp->Registers + op->C);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            var address = (T*)TAddressing.Address(warp, op, lane);
            Return(warp, op, lane, Swap(address, expected[lane], replacement[lane]));
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Swap(T* address, T expected, T replacement)
    {
        if (typeof(TAddressing) != typeof(SharedAddressing))
            return Interlocked.CompareExchange(ref *address, replacement, expected);
        var old = *address;
        if (old == expected)
            *address = replacement;
        return old;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Return(Warp* warp, Op* op, int lane, T old)
    {
        if (op->Dst != AtomicDestination.None)
            ((T*)(warp->Registers + op->Dst))[lane] = old;
    }
}

internal static class AtomicDestination
{
    public const int None = int.MinValue;
}

internal readonly struct Exchange : IIntegerOperation
{
    public static T Apply<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T> => b;
}

internal readonly struct AtomicIncrement : ILaneBinary<uint, uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint old, uint b) => old >= b ? 0 : old + 1;
}

internal readonly struct AtomicDecrement : ILaneBinary<uint, uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint old, uint b) => old == 0 || old > b ? b : old - 1;
}

internal readonly struct AtomicAddSingle : ILaneBinary<uint, uint, uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint old, uint b) =>
        BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle(old) + BitConverter.UInt32BitsToSingle(b));
}

internal readonly struct AtomicAddDouble : ILaneBinary<ulong, ulong, ulong>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply(ulong old, ulong b) =>
        BitConverter.DoubleToUInt64Bits(BitConverter.UInt64BitsToDouble(old) + BitConverter.UInt64BitsToDouble(b));
}

internal readonly struct AtomicAddHalves<TFormat> : ILaneBinary<uint, uint, uint>
    where TFormat : struct, IHalfFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Apply(uint old, uint b) =>
        Add((ushort)old, (ushort)b) | ((uint)Add((ushort)(old >> 16), (ushort)(b >> 16)) << 16);

    private static ushort Add(ushort x, ushort y) =>
        TFormat.FromDouble(TFormat.ToDouble(x) + TFormat.ToDouble(y), RoundingMode.NearestEven);
}
