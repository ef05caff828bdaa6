using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Gemm;

/// <summary>
/// A tile of rows of 64 bf16 in shared memory: eight 16-byte chunks a row, chunk <c>c</c> of row <c>r</c> at <c>8 r + (c xor (r mod 8))</c>, so that
/// neither the copies that write rows nor the matrix loads that read eight rows at one chunk meet in a bank.
/// </summary>
internal static class SwizzledTile
{
    /// <summary>Chunks of 16 bytes in a row.</summary>
    internal const int RowChunks = 8;

    /// <summary>
    /// What lane <paramref name="lane"/> adds to 8 times the first row of a 16x16 block (first row a multiple of 8) to load it as the
    /// left operand of <see cref="Mma"/>, at chunk 0; for chunk 2 i exclusive-or with 2 i.
    /// </summary>
    internal static int LeftOperand(int lane) => ((lane & 15) * RowChunks) + ((lane >> 4) ^ (lane & 7));

    /// <summary>The same for two right operands, 8 rows each, in one load: registers 0 and 1 are the first, 2 and 3 the second.</summary>
    internal static int RightOperands(int lane) => (((lane & 7) + ((lane >> 4) << 3)) * RowChunks) + (((lane >> 3) & 1) ^ (lane & 7));
}
