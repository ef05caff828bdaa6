using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeltaKV.Gpu.Emulator;

/// <summary>Bit operations with four sources; the fourth is in Extra, or immediate.</summary>
internal static unsafe class FourOperandBits
{
    /// <summary>bfi f, a, b, c, d: inserts the low d bits of a into b at bit c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Insert<T>(Warp* warp, Op* op)
        where T : unmanaged, IBinaryInteger<T>
    {
        var r = warp->Registers;
        T* d = (T*)(r + op->Dst), a = (T*)(r + op->A), b = (T*)(r + op->B);
        uint* position = (uint*)(r + op->C), length = (uint*)(r + op->Extra[0]);
        for (var lanes = warp->Active; lanes != 0; lanes &= lanes - 1)
        {
            var i = BitOperations.TrailingZeroCount(lanes);
            d[i] = T.CreateTruncating(Insert(ulong.CreateTruncating(a[i]), ulong.CreateTruncating(b[i]), position[i], length[i], 8 * sizeof(T)));
        }

        return op + 1;
    }

    /// <summary>lop3 with the truth table in Imm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Logic3(Warp* warp, Op* op)
    {
        var r = warp->Registers;
        for (var part = 0; part < 2; part++)
        {
            var a = LaneVectors.Load<uint>(r + op->A, part);
            var b = LaneVectors.Load<uint>(r + op->B, part);
            var c = LaneVectors.Load<uint>(r + op->C, part);
            var result = Vector512<uint>.Zero;
            for (var row = 0; row < 8; row++)
            {
                if ((op->Imm >> row & 1) == 0)
                    continue;
                var term = (row & 4) != 0 ? a : ~a;
                term &= (row & 2) != 0 ? b : ~b;
                term &= (row & 1) != 0 ? c : ~c;
                result |= term;
            }

            LaneVectors.Store(r + op->Dst, part, result, warp->IsConverged ? uint.MaxValue : warp->Active);
        }

        return op + 1;
    }

    /// <summary>prmt with a constant selector: Imm holds, for each result byte, its index in A (lower half) and in B (upper half), or 0x80.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* PermuteConstant(Warp* warp, Op* op)
    {
        var r = warp->Registers;
        var wordOffsets = Vector128.Create(0u, 0x0404_0404, 0x0808_0808, 0x0C0C_0C0C);
        var fromA = (Vector128.Create((uint)op->Imm) + wordOffsets).AsByte();
        var fromB = (Vector128.Create((uint)(op->Imm >> 32)) + wordOffsets).AsByte();
        var written = warp->IsConverged ? uint.MaxValue : warp->Active;
        for (var part = 0; part < 2; part++)
        {
            var a = LaneVectors.Load<byte>(r + op->A, part);
            var b = LaneVectors.Load<byte>(r + op->B, part);
            LaneVectors.Store(r + op->Dst, part, (Shuffle(a, fromA) | Shuffle(b, fromB)).AsUInt32(), written);
        }

        return op + 1;
    }

    private static ulong Insert(ulong a, ulong b, uint c, uint d, int width)
    {
        c &= 0xFF;
        d &= 0xFF;
        if (c >= width || d == 0)
            return b;
        var mask = (d >= 64 ? ulong.MaxValue : (1ul << (int)d) - 1) << (int)c;
        return (b & ~mask) | ((a << (int)c) & mask);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Shuffle(Vector512<byte> bytes, Vector128<byte> indices)
    {
        if (Avx512BW.IsSupported)
            return Avx512BW.Shuffle(bytes, Vector512.Create(Vector256.Create(indices, indices), Vector256.Create(indices, indices)));
        var (low, high) = (bytes.GetLower(), bytes.GetUpper());
        return Vector512.Create(
            Vector256.Create(Vector128.Shuffle(low.GetLower(), indices), Vector128.Shuffle(low.GetUpper(), indices)),
            Vector256.Create(Vector128.Shuffle(high.GetLower(), indices), Vector128.Shuffle(high.GetUpper(), indices)));
    }
}
