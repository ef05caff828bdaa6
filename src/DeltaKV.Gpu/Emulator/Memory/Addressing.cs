using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Turns slot A plus the displacement Imm into host addresses.</summary>
internal unsafe interface IAddressing
{
    static abstract byte* Address(Warp* warp, Op* op, int lane);

    /// <summary>True when every lane's address is the one before it plus the stride.</summary>
    static abstract bool IsStrided(Warp* warp, Op* op, int stride);
}

/// <summary>64-bit addresses of host memory: global and generic accesses.</summary>
internal readonly unsafe struct GlobalAddressing : IAddressing
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Address(Warp* warp, Op* op, int lane) =>
        (byte*)((long*)(warp->Registers + op->A))[lane] + op->Imm;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsStrided(Warp* warp, Op* op, int stride)
    {
        var a = (long*)(warp->Registers + op->A);
        if (a[1] - a[0] != stride)
            return false;
        var step = Vector512.Create(8L * stride);
        var expected = Vector512.Create(a[0]) + (Vector512.Create(0L, 1, 2, 3, 4, 5, 6, 7) * stride);
        var difference = expected ^ Vector512.LoadAligned(a);
        expected += step;
        difference |= expected ^ Vector512.LoadAligned(a + 8);
        expected += step;
        difference |= expected ^ Vector512.LoadAligned(a + 16);
        expected += step;
        difference |= expected ^ Vector512.LoadAligned(a + 24);
        return difference == Vector512<long>.Zero;
    }
}

/// <summary>32-bit offsets into the block's shared memory.</summary>
internal readonly unsafe struct SharedAddressing : IAddressing
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Address(Warp* warp, Op* op, int lane) =>
        warp->Shared + (uint)(((int*)(warp->Registers + op->A))[lane] + (int)op->Imm);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsStrided(Warp* warp, Op* op, int stride) => Offsets.AreStrided((int*)(warp->Registers + op->A), stride);
}

/// <summary>32-bit offsets into each lane's own memory.</summary>
internal readonly unsafe struct LocalAddressing : IAddressing
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Address(Warp* warp, Op* op, int lane) =>
        warp->Local + ((long)lane * warp->LocalBytes) + (uint)(((int*)(warp->Registers + op->A))[lane] + (int)op->Imm);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsStrided(Warp* warp, Op* op, int stride) => false;
}

/// <summary>32-bit offsets into the kernel's parameters.</summary>
internal readonly unsafe struct ParameterAddressing : IAddressing
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Address(Warp* warp, Op* op, int lane) =>
        warp->Parameters + (uint)(((int*)(warp->Registers + op->A))[lane] + (int)op->Imm);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsStrided(Warp* warp, Op* op, int stride) => Offsets.AreStrided((int*)(warp->Registers + op->A), stride);
}

internal static unsafe class Offsets
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AreStrided(int* a, int stride)
    {
        if (a[1] - a[0] != stride)
            return false;
        var expected = Vector512.Create(a[0])
            + (Vector512.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) * stride);
        var difference = (expected ^ Vector512.LoadAligned(a))
            | ((expected + Vector512.Create(16 * stride)) ^ Vector512.LoadAligned(a + 16));
        return difference == Vector512<int>.Zero;
    }
}
