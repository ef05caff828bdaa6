using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>
/// The element type of an mma operand. A 32-bit lane holds <see cref="Parts"/> consecutive k, so part p of a register is, for each of
/// its rows, the four values k = p, p + Parts, p + 2 Parts, p + 3 Parts.
/// </summary>
internal interface IFragment
{
    static abstract int Parts { get; }

    static abstract Vector512<float> Extract(Vector512<uint> lanes, int part);
}

internal readonly struct BFloat16Fragment : IFragment
{
    public static int Parts => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Extract(Vector512<uint> lanes, int part) =>
        (part == 0 ? lanes << 16 : lanes & Vector512.Create(0xFFFF_0000u)).AsSingle();
}

internal readonly struct Float16Fragment : IFragment
{
    public static int Parts => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Extract(Vector512<uint> lanes, int part) =>
        Float16Format.ToSingle(part == 0 ? lanes & Vector512.Create(0xFFFFu) : lanes >> 16);
}

/// <summary>The hardware reads only the upper nineteen bits of a tf32 operand.</summary>
internal readonly struct TensorFloatFragment : IFragment
{
    public static int Parts => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Extract(Vector512<uint> lanes, int part) => (lanes & Vector512.Create(0xFFFF_E000u)).AsSingle();
}

internal static class LaneBytes
{
    /// <summary>One byte of every lane. Shifts by constants, because the host has no other kind that is an instruction.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Take(Vector512<uint> lanes, int part)
    {
        var shifted = part switch { 0 => lanes, 1 => lanes >> 8, 2 => lanes >> 16, _ => lanes >> 24 };
        return shifted & Vector512.Create(0xFFu);
    }
}

internal readonly struct SByteFragment : IFragment
{
    public static int Parts => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Extract(Vector512<uint> lanes, int part) =>
        Vector512.ConvertToSingle((LaneBytes.Take(lanes, part) << 24).AsInt32() >> 24);
}

internal readonly struct ByteFragment : IFragment
{
    public static int Parts => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Extract(Vector512<uint> lanes, int part) =>
        Vector512.ConvertToSingle(LaneBytes.Take(lanes, part).AsInt32());
}

internal readonly struct E5M2Fragment : IFragment
{
    public static int Parts => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Extract(Vector512<uint> lanes, int part) =>
        Float16Format.ToSingle(LaneBytes.Take(lanes, part) << 8);
}

internal readonly struct E4M3Fragment : IFragment
{
    public static int Parts => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Extract(Vector512<uint> lanes, int part)
    {
        // As a half the exponent is eight too small; all exponent and mantissa bits set is the one NaN.
        var bits = LaneBytes.Take(lanes, part);
        var magnitude = bits & Vector512.Create(0x7Fu);
        var half = ((bits & Vector512.Create(0x80u)) << 8) | (magnitude << 7);
        var value = Float16Format.ToSingle(half) * Vector512.Create(256f);
        return Vector512.ConditionalSelect(
            Vector512.Equals(magnitude, Vector512.Create(0x7Fu)).AsSingle(), Vector512.Create(float.NaN), value);
    }
}

/// <summary>The accumulators of an mma: for each row the even columns in one vector element per lane, the odd ones in another.</summary>
internal unsafe interface IAccumulator
{
    /// <summary>Registers that hold the 16x8 accumulators.</summary>
    static abstract int Registers { get; }

    /// <summary>What the products are added to: even (parity 0) or odd columns of four rows.</summary>
    static abstract Vector512<float> Begin(byte* frame, int* slots, int rows, int parity);

    /// <summary>Stores the sums of four rows.</summary>
    static abstract void End(byte* frame, int* destination, int* addend, int rows, Vector512<float> even, Vector512<float> odd);
}

internal readonly unsafe struct SingleAccumulator : IAccumulator
{
    public static int Registers => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Begin(byte* frame, int* slots, int rows, int parity) =>
        LaneVectors.Load<float>(frame + slots[(rows & 2) + parity], rows & 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void End(byte* frame, int* destination, int* addend, int rows, Vector512<float> even, Vector512<float> odd)
    {
        LaneVectors.Store(frame + destination[rows & 2], rows & 1, even);
        LaneVectors.Store(frame + destination[(rows & 2) + 1], rows & 1, odd);
    }
}

/// <summary>Products of bytes and their sums over k stay below 2^24, so that floats hold them exactly until they are added.</summary>
internal readonly unsafe struct Int32Accumulator : IAccumulator
{
    public static int Registers => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Begin(byte* frame, int* slots, int rows, int parity) => Vector512<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void End(byte* frame, int* destination, int* addend, int rows, Vector512<float> even, Vector512<float> odd)
    {
        var (half, part) = (rows & 2, rows & 1);
        LaneVectors.Store(frame + destination[half], part, LaneVectors.Load<int>(frame + addend[half], part) + Vector512.ConvertToInt32(even));
        LaneVectors.Store(
            frame + destination[half + 1], part, LaneVectors.Load<int>(frame + addend[half + 1], part) + Vector512.ConvertToInt32(odd));
    }
}

internal readonly unsafe struct HalfAccumulator : IAccumulator
{
    public static int Registers => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Begin(byte* frame, int* slots, int rows, int parity) =>
        Float16Fragment.Extract(LaneVectors.Load<uint>(frame + slots[rows >> 1], rows & 1), parity);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void End(byte* frame, int* destination, int* addend, int rows, Vector512<float> even, Vector512<float> odd) =>
        LaneVectors.Store(
            frame + destination[rows >> 1], rows & 1, Float16Format.FromSingle(even) | (Float16Format.FromSingle(odd) << 16));
}
