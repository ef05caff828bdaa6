using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeltaKV.Gpu.Emulator;

/// <summary>
/// ldmatrix and stmatrix of Aux matrices, registers in Extra. Lane 4g+t of a fragment holds elements 2t and 2t+1 of row g, so a
/// register in memory is the 8x8 matrix itself, row after row.
/// </summary>
internal static unsafe class MatrixMoves<TAddressing>
    where TAddressing : struct, IAddressing
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Load(Warp* warp, Op* op)
    {
        for (var matrix = 0; matrix < op->Aux; matrix++)
        {
            // Stored whole, because the product that reads it next cannot be fed from several smaller stores.
            var destination = warp->Registers + op->Extra[matrix];
            LaneVectors.Store(destination, 0, FourRows(warp, op, 8 * matrix));
            LaneVectors.Store(destination, 1, FourRows(warp, op, (8 * matrix) + 4));
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> FourRows(Warp* warp, Op* op, int lane) => Vector512.Create(
        Vector256.Create(Vector128.Load(TAddressing.Address(warp, op, lane)), Vector128.Load(TAddressing.Address(warp, op, lane + 1))),
        Vector256.Create(Vector128.Load(TAddressing.Address(warp, op, lane + 2)), Vector128.Load(TAddressing.Address(warp, op, lane + 3))));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* LoadTransposed(Warp* warp, Op* op)
    {
        Load(warp, op);
        for (var matrix = 0; matrix < op->Aux; matrix++)
            MatrixTransposition.Transpose(warp->Registers + op->Extra[matrix]);
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Store(Warp* warp, Op* op)
    {
        for (var matrix = 0; matrix < op->Aux; matrix++)
        {
            var source = warp->Registers + op->Extra[matrix];
            for (var row = 0; row < 8; row++)
                Vector128.LoadAligned(source + (16 * row)).Store(TAddressing.Address(warp, op, (8 * matrix) + row));
        }

        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* StoreTransposed(Warp* warp, Op* op)
    {
        var copy = stackalloc byte[128 + 64];
        var aligned = (byte*)(((nint)copy + 63) & ~63);
        for (var matrix = 0; matrix < op->Aux; matrix++)
        {
            new ReadOnlySpan<byte>(warp->Registers + op->Extra[matrix], 128).CopyTo(new Span<byte>(aligned, 128));
            MatrixTransposition.Transpose(aligned);
            for (var row = 0; row < 8; row++)
                Vector128.LoadAligned(aligned + (16 * row)).Store(TAddressing.Address(warp, op, (8 * matrix) + row));
        }

        return op + 1;
    }
}

/// <summary>8x8 matrices of 16-bit elements, row after row in 128 aligned bytes.</summary>
internal static unsafe class MatrixTransposition
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ushort> FirstRows() => Vector512.Create(
        (ushort)0, 8, 16, 24, 32, 40, 48, 56, 1, 9, 17, 25, 33, 41, 49, 57, 2, 10, 18, 26, 34, 42, 50, 58, 3, 11, 19, 27, 35, 43, 51, 59);

    /// <summary>movmatrix: the matrix in register A, transposed, into Dst.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Op* Run(Warp* warp, Op* op)
    {
        var target = warp->Registers + op->Dst;
        var source = warp->Registers + op->A;
        LaneVectors.Store(target, 0, LaneVectors.Load<uint>(source, 0));
        LaneVectors.Store(target, 1, LaneVectors.Load<uint>(source, 1));
        Transpose(target);
        return op + 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(byte* matrix)
    {
        if (Avx512BW.IsSupported)
        {
            Vector512<ushort> low = LaneVectors.Load<ushort>(matrix, 0), high = LaneVectors.Load<ushort>(matrix, 1);
            LaneVectors.Store(matrix, 0, Avx512BW.PermuteVar32x16x2(low, FirstRows(), high));
            LaneVectors.Store(matrix, 1, Avx512BW.PermuteVar32x16x2(low, FirstRows() + Vector512.Create((ushort)4), high));
            return;
        }

        var elements = (ushort*)matrix;
        for (var row = 0; row < 8; row++)
        {
            for (var column = row + 1; column < 8; column++)
                (elements[(row * 8) + column], elements[(column * 8) + row]) = (elements[(column * 8) + row], elements[(row * 8) + column]);
        }
    }
}
