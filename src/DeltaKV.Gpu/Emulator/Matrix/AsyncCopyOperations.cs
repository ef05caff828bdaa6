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
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Copy16(Warp* warp, Op* op)
    {
        var source = (long*)(warp->Registers + op->B);
        var displacement = Displacement(op);
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
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            var destination = new Span<byte>(SharedAddressing.Address(warp, op, lane), op->Aux);
            var count = (int)Math.Min(available[lane], (uint)op->Aux);
            destination[count..].Clear();
            new ReadOnlySpan<byte>((byte*)(source[lane] + displacement), count).CopyTo(destination);
        }

        return op + 1;
    }

    private static long Displacement(Op* op) => (uint)op->Extra[0] | ((long)op->Extra[1] << 32);
}
