using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeltaKV.Gpu.Emulator;

/// <summary>
/// mma.sync m16n8k*: D = A B + C. Extra lists the registers of D, A (two per half of k), B (one per half) and C; Aux is the halves.
/// </summary>
/// <remarks>
/// Nothing is rearranged in memory. Lane 4g+t holds row g, so a host vector of one part of an A register is four rows of four k,
/// and spreading element j of every row over its 128 bits gives A[row, k] next to the columns 0, 2, 4, 6 (or 1, 3, 5, 7) that the same
/// lanes of C own. Each of those two is one multiply-add: per k two permutes of B, four shuffles of A, eight multiply-adds.
/// </remarks>
internal static unsafe class MatrixMultiply<TA, TB, TAccumulator>
    where TA : struct, IFragment
    where TB : struct, IFragment
    where TAccumulator : struct, IAccumulator
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        if (!Avx512F.IsSupported)
            return RunPortable(warp, op);
        var frame = warp->Registers;
        var d = op->Extra;
        var a = d + TAccumulator.Registers;
        var b = a + (2 * op->Aux);
        var c = b + op->Aux;
        Vector512<float> even0 = TAccumulator.Begin(frame, c, 0, 0), odd0 = TAccumulator.Begin(frame, c, 0, 1);
        Vector512<float> even1 = TAccumulator.Begin(frame, c, 1, 0), odd1 = TAccumulator.Begin(frame, c, 1, 1);
        Vector512<float> even2 = TAccumulator.Begin(frame, c, 2, 0), odd2 = TAccumulator.Begin(frame, c, 2, 1);
        Vector512<float> even3 = TAccumulator.Begin(frame, c, 3, 0), odd3 = TAccumulator.Begin(frame, c, 3, 1);
        for (var half = 0; half < op->Aux; half++)
        {
            byte* upper = frame + a[2 * half], lower = frame + a[(2 * half) + 1], columns = frame + b[half];
            for (var part = 0; part < TA.Parts; part++)
            {
                var a0 = TA.Extract(LaneVectors.Load<uint>(upper, 0), part);
                var a1 = TA.Extract(LaneVectors.Load<uint>(upper, 1), part);
                var a2 = TA.Extract(LaneVectors.Load<uint>(lower, 0), part);
                var a3 = TA.Extract(LaneVectors.Load<uint>(lower, 1), part);
                var b0 = TB.Extract(LaneVectors.Load<uint>(columns, 0), part);
                var b1 = TB.Extract(LaneVectors.Load<uint>(columns, 1), part);

                var (evens, odds) = Columns(b0, b1, 0);
                AddRows(Avx512F.Permute4x32(a0, 0x00), evens, odds, ref even0, ref odd0);
                AddRows(Avx512F.Permute4x32(a1, 0x00), evens, odds, ref even1, ref odd1);
                AddRows(Avx512F.Permute4x32(a2, 0x00), evens, odds, ref even2, ref odd2);
                AddRows(Avx512F.Permute4x32(a3, 0x00), evens, odds, ref even3, ref odd3);

                (evens, odds) = Columns(b0, b1, 1);
                AddRows(Avx512F.Permute4x32(a0, 0x55), evens, odds, ref even0, ref odd0);
                AddRows(Avx512F.Permute4x32(a1, 0x55), evens, odds, ref even1, ref odd1);
                AddRows(Avx512F.Permute4x32(a2, 0x55), evens, odds, ref even2, ref odd2);
                AddRows(Avx512F.Permute4x32(a3, 0x55), evens, odds, ref even3, ref odd3);

                (evens, odds) = Columns(b0, b1, 2);
                AddRows(Avx512F.Permute4x32(a0, 0xAA), evens, odds, ref even0, ref odd0);
                AddRows(Avx512F.Permute4x32(a1, 0xAA), evens, odds, ref even1, ref odd1);
                AddRows(Avx512F.Permute4x32(a2, 0xAA), evens, odds, ref even2, ref odd2);
                AddRows(Avx512F.Permute4x32(a3, 0xAA), evens, odds, ref even3, ref odd3);

                (evens, odds) = Columns(b0, b1, 3);
                AddRows(Avx512F.Permute4x32(a0, 0xFF), evens, odds, ref even0, ref odd0);
                AddRows(Avx512F.Permute4x32(a1, 0xFF), evens, odds, ref even1, ref odd1);
                AddRows(Avx512F.Permute4x32(a2, 0xFF), evens, odds, ref even2, ref odd2);
                AddRows(Avx512F.Permute4x32(a3, 0xFF), evens, odds, ref even3, ref odd3);
            }
        }

        TAccumulator.End(frame, d, c, 0, even0, odd0);
        TAccumulator.End(frame, d, c, 1, even1, odd1);
        TAccumulator.End(frame, d, c, 2, even2, odd2);
        TAccumulator.End(frame, d, c, 3, even3, odd3);
        return op + 1;
    }

    /// <summary>Element k of the columns 0, 2, 4, 6 and of 1, 3, 5, 7 of B, for every row of A.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Evens, Vector512<float> Odds) Columns(Vector512<float> b0, Vector512<float> b1, int k)
    {
        var even = Vector512.Create(0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24) + Vector512.Create(k);
        return (Avx512F.PermuteVar16x32x2(b0, even, b1), Avx512F.PermuteVar16x32x2(b0, even + Vector512.Create(4), b1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRows(
        Vector512<float> rows, Vector512<float> evens, Vector512<float> odds, ref Vector512<float> even, ref Vector512<float> odd)
    {
        even = Vector512.FusedMultiplyAdd(rows, evens, even);
        odd = Vector512.FusedMultiplyAdd(rows, odds, odd);
    }

    /// <summary>The same sums for hosts without 512-bit permutes: one row and four columns at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* RunPortable(Warp* warp, Op* op)
    {
        var frame = warp->Registers;
        var d = op->Extra;
        var a = d + TAccumulator.Registers;
        var b = a + (2 * op->Aux);
        var c = b + op->Aux;
        var rows = stackalloc float[16 * 4];
        var columns = stackalloc float[8 * 4];
        var even = stackalloc Vector128<float>[16];
        var odd = stackalloc Vector128<float>[16];
        for (var group = 0; group < 4; group++)
        {
            TAccumulator.Begin(frame, c, group, 0).Store((float*)(even + (4 * group)));
            TAccumulator.Begin(frame, c, group, 1).Store((float*)(odd + (4 * group)));
        }

        for (var half = 0; half < op->Aux; half++)
        {
            for (var part = 0; part < TA.Parts; part++)
            {
                for (var group = 0; group < 4; group++)
                {
                    var register = frame + a[(2 * half) + (group >> 1)];
                    TA.Extract(LaneVectors.Load<uint>(register, group & 1), part).Store(rows + (16 * group));
                }

                TB.Extract(LaneVectors.Load<uint>(frame + b[half], 0), part).Store(columns);
                TB.Extract(LaneVectors.Load<uint>(frame + b[half], 1), part).Store(columns + 16);
                for (var k = 0; k < 4; k++)
                {
                    var evens = Vector128.Create(columns[k], columns[8 + k], columns[16 + k], columns[24 + k]);
                    var odds = Vector128.Create(columns[4 + k], columns[12 + k], columns[20 + k], columns[28 + k]);
                    for (var row = 0; row < 16; row++)
                    {
                        var x = Vector128.Create(rows[(4 * row) + k]);
                        even[row] = Vector128.FusedMultiplyAdd(x, evens, even[row]);
                        odd[row] = Vector128.FusedMultiplyAdd(x, odds, odd[row]);
                    }
                }
            }
        }

        for (var group = 0; group < 4; group++)
            TAccumulator.End(frame, d, c, group, Vector512.Load((float*)(even + (4 * group))), Vector512.Load((float*)(odd + (4 * group))));
        return op + 1;
    }
}
