using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeltaKV.Gpu.Emulator;

/// <summary>
/// cp.async, done at once: the earliest moment at which the hardware might. Slot A plus Imm is the shared address, slot B the global
/// one, Extra its displacement in two halves, Aux the bytes. What a smaller source leaves over is zero.
/// </summary>
internal static unsafe class AsyncCopyOperations
{
    /// <summary>A tile's next pieces of the same rows follow at this distance.</summary>
    private const int Ahead = 128;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Copy16(Warp* warp, Op* op)
    {
        var source = (long*)(warp->Registers + op->B);
        var displacement = Displacement(op);
        if (warp->Active == uint.MaxValue)
        {
            // Loads before stores, eight at a time: the rows of a tile often lie a power of two apart, and then a load waits for
            // any earlier store that looks like it.
            for (var lane = 0; lane < Warp.Lanes; lane += 8)
            {
                Vector128<byte> v0 = Read(source, lane, displacement), v1 = Read(source, lane + 1, displacement);
                Vector128<byte> v2 = Read(source, lane + 2, displacement), v3 = Read(source, lane + 3, displacement);
                Vector128<byte> v4 = Read(source, lane + 4, displacement), v5 = Read(source, lane + 5, displacement);
                Vector128<byte> v6 = Read(source, lane + 6, displacement), v7 = Read(source, lane + 7, displacement);
                HostPrefetch.Line((byte*)(source[lane] + displacement + Ahead));
                HostPrefetch.Line((byte*)(source[lane + 4] + displacement + Ahead));
                v0.Store(SharedAddressing.Address(warp, op, lane));
                v1.Store(SharedAddressing.Address(warp, op, lane + 1));
                v2.Store(SharedAddressing.Address(warp, op, lane + 2));
                v3.Store(SharedAddressing.Address(warp, op, lane + 3));
                v4.Store(SharedAddressing.Address(warp, op, lane + 4));
                v5.Store(SharedAddressing.Address(warp, op, lane + 5));
                v6.Store(SharedAddressing.Address(warp, op, lane + 6));
                v7.Store(SharedAddressing.Address(warp, op, lane + 7));
            }

            return op + 1;
        }

        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            Vector128.Load((byte*)(source[lane] + displacement)).Store(SharedAddressing.Address(warp, op, lane));
        }

        return op + 1;
    }

    /// <summary>Any size; slot C holds how many bytes there are to read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* CopyPart(Warp* warp, Op* op)
    {
        var source = (long*)(warp->Registers + op->B);
        var available = (uint*)(warp->Registers + op->C);
        var displacement = Displacement(op);
        if (op->Aux == 16)
        {
            var enough = Vector512.Create(16u);
            if (Vector512.GreaterThanOrEqualAll(LaneVectors.Load<uint>((byte*)available, 0), enough)
                && Vector512.GreaterThanOrEqualAll(LaneVectors.Load<uint>((byte*)available, 1), enough))
            {
                return Copy16(warp, op);
            }
        }

        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            if (op->Aux == 16 && available[lane] is 0 or >= 16)
            {
                // Whole or absent: what the edges of a matrix ask for.
                var bytes = available[lane] == 0 ? Vector128<byte>.Zero : Read(source, lane, displacement);
                bytes.Store(SharedAddressing.Address(warp, op, lane));
                continue;
            }

            var destination = new Span<byte>(SharedAddressing.Address(warp, op, lane), op->Aux);
            var count = (int)Math.Min(available[lane], (uint)op->Aux);
            destination[count..].Clear();
            new ReadOnlySpan<byte>((byte*)(source[lane] + displacement), count).CopyTo(destination);
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Read(long* source, int lane, long displacement) => Vector128.Load((byte*)(source[lane] + displacement));

    private static long Displacement(Op* op) => (uint)op->Extra[0] | ((long)op->Extra[1] << 32);
}
