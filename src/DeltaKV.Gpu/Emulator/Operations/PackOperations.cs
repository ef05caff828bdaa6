using System.Numerics;
using System.Runtime.CompilerServices;

namespace DeltaKV.Gpu.Emulator;

/// <summary>mov between a register and the parts in braces.</summary>
internal static unsafe class PackOperations
{
    /// <summary>The Imm bits of slot A from bit Aux on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Extract<T>(Warp* warp, Op* op)
        where T : unmanaged, IBinaryInteger<T>
    {
        var d = (uint*)(warp->Registers + op->Dst);
        var a = (T*)(warp->Registers + op->A);
        var mask = uint.MaxValue >> (32 - (int)op->Imm);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            d[lane] = uint.CreateTruncating(a[lane] >>> op->Aux) & mask;
        }

        return op + 1;
    }

    /// <summary>Concatenates Aux parts of Imm bits, the first lowest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Combine<T>(Warp* warp, Op* op)
        where T : unmanaged, IBinaryInteger<T>
    {
        var d = (T*)(warp->Registers + op->Dst);
        var bits = (int)op->Imm;
        var mask = uint.MaxValue >> (32 - bits);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var lane = BitOperations.TrailingZeroCount(lanes);
            var value = T.Zero;
            for (var k = 0; k < op->Aux; k++)
                value |= T.CreateTruncating(((uint*)(warp->Registers + op->Extra[k]))[lane] & mask) << (k * bits);
            d[lane] = value;
        }

        return op + 1;
    }
}
