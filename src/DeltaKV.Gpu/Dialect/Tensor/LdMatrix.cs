namespace DeltaKV.Gpu;

/// <summary>
/// Reads 8x8 matrices of 16-bit elements from shared memory into the fragment layout of <see cref="Mma"/>. An extension to ILGPU's dialect.
/// </summary>
/// <remarks>
/// Lane <c>8 m + r</c> passes the address of row <c>r</c> of matrix <c>m</c>, 16 bytes aligned. Lane <c>l</c> then holds of every matrix row
/// <c>l / 4</c>, columns <c>2 (l % 4)</c> and the next; with <c>Transposed</c> column <c>l / 4</c>, rows <c>2 (l % 4)</c> and the next.
/// </remarks>
public static class LdMatrix
{
    /// <summary>One matrix.</summary>
    [PtxInstruction("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {{{r0}}}, [{0:shared}];")]
    public static uint X1(ref UInt4 row) => throw KernelOnlyException.Here();

    /// <summary>Two matrices.</summary>
    [PtxInstruction("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {{{r0}, {r1}}}, [{0:shared}];")]
    public static UInt2 X2(ref UInt4 row) => throw KernelOnlyException.Here();

    /// <summary>Four matrices.</summary>
    [PtxInstruction("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {{{r0}, {r1}, {r2}, {r3}}}, [{0:shared}];")]
    public static UInt4 X4(ref UInt4 row) => throw KernelOnlyException.Here();

    /// <summary>One matrix, transposed.</summary>
    [PtxInstruction("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {{{r0}}}, [{0:shared}];")]
    public static uint X1Transposed(ref UInt4 row) => throw KernelOnlyException.Here();

    /// <summary>Two matrices, transposed.</summary>
    [PtxInstruction("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {{{r0}, {r1}}}, [{0:shared}];")]
    public static UInt2 X2Transposed(ref UInt4 row) => throw KernelOnlyException.Here();

    /// <summary>Four matrices, transposed.</summary>
    [PtxInstruction("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {{{r0}, {r1}, {r2}, {r3}}}, [{0:shared}];")]
    public static UInt4 X4Transposed(ref UInt4 row) => throw KernelOnlyException.Here();
}
