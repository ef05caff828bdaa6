using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Reads and writes a warp's registers as host vectors: two per 32-bit register, four per 64-bit one.</summary>
internal static unsafe class LaneVectors
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> LaneBits32() => Vector512.Create(
        1u, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> LaneBits64() => Vector512.Create(1ul, 2, 4, 8, 16, 32, 64, 128);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Load<T>(byte* register, int part)
        where T : unmanaged => Vector512.LoadAligned((T*)(register + (part * 64)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(byte* register, int part, Vector512<T> value)
        where T : unmanaged => value.StoreAligned((T*)(register + (part * 64)));

    /// <summary>Writes only the lanes of the mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(byte* register, int part, Vector512<T> value, uint mask)
        where T : unmanaged =>
        Store(register, part, Vector512.ConditionalSelect(Expand<T>(mask, part), value, Load<T>(register, part)));

    /// <summary>All bits of the lanes of a mask, for one part of a register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Expand<T>(uint mask, int part)
        where T : unmanaged
    {
        if (sizeof(T) == 4)
        {
            var bits = LaneBits32();
            return Vector512.Equals(Vector512.Create(mask >> (16 * part)) & bits, bits).As<uint, T>();
        }
        else
        {
            var bits = LaneBits64();
            return Vector512.Equals(Vector512.Create((ulong)(mask >> (8 * part))) & bits, bits).As<ulong, T>();
        }
    }

    /// <summary>The lane mask of comparison results of one part.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Collapse<T>(Vector512<T> comparison, int part)
        where T : unmanaged =>
        (uint)comparison.ExtractMostSignificantBits() << (part * 64 / sizeof(T));
}
