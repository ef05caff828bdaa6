using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>
/// A tile of 64 rows of one head in shared memory. Rows are 8 or 16 chunks of 16 bytes apart; chunk <c>c</c> of row <c>r</c> lies at
/// <c>c xor (r mod 8)</c>, so that copies of rows and matrix loads of eight rows at one chunk both touch all banks.
/// </summary>
internal static class HeadTile
{
    /// <summary>Rows of a tile.</summary>
    internal const int Rows = 64;

    /// <summary>Chunks from row to row.</summary>
    internal static int Stride<THead>()
        where THead : struct, IHead => THead.Dim <= 64 ? 8 : 16;

    /// <summary>Chunks of a tile.</summary>
    internal static int Chunks<THead>()
        where THead : struct, IHead => Rows * Stride<THead>();

    /// <summary>Starts copying <paramref name="rows"/> rows, <paramref name="sourceStride"/> chunks apart, by 128 threads; the other rows become zero.</summary>
    internal static void Load<THead>(ArrayView<UInt4> target, ArrayView<UInt4> source, int sourceStride, int rows)
        where THead : struct, IHead
    {
        for (var i = 0; i < Unroll.Full(Rows * (THead.Dim / 8) / 128); i++)
        {
            var at = Group.IdxX + (i * 128);
            var row = at / (THead.Dim / 8);
            var chunk = at - (row * (THead.Dim / 8));
            var from = Math.Min(row, rows - 1) * sourceStride;
            CpAsync.Copy16(ref target[(row * Stride<THead>()) + (chunk ^ (row & 7))], ref source[from + chunk], row < rows ? 16 : 0);
        }
    }

    /// <summary>As <see cref="Load"/>, and rows before <paramref name="first"/> become zero too: whatever lies there, its weight is 0.</summary>
    internal static void LoadFrom<THead>(ArrayView<UInt4> target, ArrayView<UInt4> source, int sourceStride, int first, int rows)
        where THead : struct, IHead
    {
        for (var i = 0; i < Unroll.Full(Rows * (THead.Dim / 8) / 128); i++)
        {
            var at = Group.IdxX + (i * 128);
            var row = at / (THead.Dim / 8);
            var chunk = at - (row * (THead.Dim / 8));
            var from = Math.Min(row, rows - 1) * sourceStride;
            CpAsync.Copy16(ref target[(row * Stride<THead>()) + (chunk ^ (row & 7))], ref source[from + chunk], row >= first && row < rows ? 16 : 0);
        }
    }

    /// <summary>The left operand of 16 rows from <paramref name="row"/> (a multiple of 8) on, elements 16 k to 16 k + 15.</summary>
    internal static UInt4 LeftOperand<THead>(ArrayView<UInt4> tile, int row, int k)
        where THead : struct, IHead =>
        LdMatrix.X4(ref tile[((row + (Warp.LaneIdx & 15)) * Stride<THead>()) + (((2 * k) + (Warp.LaneIdx >> 4)) ^ (Warp.LaneIdx & 7))]);

    /// <summary>Right operands made of rows: 8 rows from <paramref name="row"/> on in registers 0 and 1, the next 8 in 2 and 3; elements 16 k to 16 k + 15.</summary>
    internal static UInt4 RightOperands<THead>(ArrayView<UInt4> tile, int row, int k)
        where THead : struct, IHead
    {
        var lane = Warp.LaneIdx;
        return LdMatrix.X4(
            ref tile[((row + (lane & 7) + ((lane >> 4) << 3)) * Stride<THead>()) + (((2 * k) + ((lane >> 3) & 1)) ^ (lane & 7))]);
    }

    /// <summary>Right operands made of columns: elements 8 c to 8 c + 7 of 16 rows from <paramref name="row"/> on in registers 0 and 1, the next 8 elements in 2 and 3.</summary>
    internal static UInt4 RightColumns<THead>(ArrayView<UInt4> tile, int row, int chunk)
        where THead : struct, IHead
    {
        var lane = Warp.LaneIdx;
        return LdMatrix.X4Transposed(ref tile[((row + (lane & 15)) * Stride<THead>()) + ((chunk + (lane >> 4)) ^ (lane & 7))]);
    }
}
