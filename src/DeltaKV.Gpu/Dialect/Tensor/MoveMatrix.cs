namespace DeltaKV.Gpu;

/// <summary>Moves 8x8 matrices of 16-bit elements between the lanes of a warp. An extension to ILGPU's dialect.</summary>
public static class MoveMatrix
{
    /// <summary>
    /// Transposes a matrix of which lane <c>l</c> holds row <c>l / 4</c>, columns <c>2 (l % 4)</c> and the next: a result of <see cref="Mma"/>
    /// becomes its right operand.
    /// </summary>
    [PtxInstruction("movmatrix.sync.aligned.m8n8.trans.b16 {r0}, {0};")]
    public static uint Transpose(uint row) => throw KernelOnlyException.Here();
}
