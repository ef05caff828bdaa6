namespace DeltaKV.Gpu;

/// <summary>Warp-wide matrix products <c>D = A B + C</c> on the tensor cores (<c>mma.sync</c>). An extension to ILGPU's dialect.</summary>
/// <remarks>
/// A is row-major, B column-major; with lane <c>l</c>, <c>g = l / 4</c>, <c>t = l % 4</c>. For 16-bit inputs (k = 16): A = {(g, 2t..), (g+8, 2t..), (g, 2t+8..),
/// (g+8, 2t+8..)}, B = {(2t.., g), (2t+8.., g)}, C = {(g, 2t), (g, 2t+1), (g+8, 2t), (g+8, 2t+1)}. For 8-bit inputs (k = 32) a register
/// holds four k in place of two. Source: PTX ISA, "Matrix fragments for mma.m16n8k16 / m16n8k32".
/// </remarks>
public static class Mma
{
    /// <summary>bf16 inputs, f32 sums, m16 n8 k16.</summary>
    [PtxInstruction("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {{{r0}, {r1}, {r2}, {r3}}}, {{{0}, {1}, {2}, {3}}}, {{{4}, {5}}}, {{{6}, {7}, {8}, {9}}};", Pure = true)]
    public static Float4 BFloat16(UInt4 a, UInt2 b, Float4 c) => throw KernelOnlyException.Here();

    /// <summary>f16 inputs, f32 sums, m16 n8 k16.</summary>
    [PtxInstruction("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {{{r0}, {r1}, {r2}, {r3}}}, {{{0}, {1}, {2}, {3}}}, {{{4}, {5}}}, {{{6}, {7}, {8}, {9}}};", Pure = true)]
    public static Float4 Half(UInt4 a, UInt2 b, Float4 c) => throw KernelOnlyException.Here();

    /// <summary>Signed 8-bit inputs, 32-bit sums, m16 n8 k32.</summary>
    [PtxInstruction("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {{{r0}, {r1}, {r2}, {r3}}}, {{{0}, {1}, {2}, {3}}}, {{{4}, {5}}}, {{{6}, {7}, {8}, {9}}};", Pure = true)]
    public static Int4 SignedByte(UInt4 a, UInt2 b, Int4 c) => throw KernelOnlyException.Here();

    /// <summary>fp8 e4m3 inputs, f32 sums, m16 n8 k32. Needs sm_89 or later.</summary>
    [PtxInstruction("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {{{r0}, {r1}, {r2}, {r3}}}, {{{0}, {1}, {2}, {3}}}, {{{4}, {5}}}, {{{6}, {7}, {8}, {9}}};", Pure = true)]
    public static Float4 E4M3(UInt4 a, UInt2 b, Float4 c) => throw KernelOnlyException.Here();
}
