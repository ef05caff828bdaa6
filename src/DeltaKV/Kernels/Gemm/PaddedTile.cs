using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Gemm;

/// <summary>
/// A tile in shared memory whose rows are an odd number of 16-byte pieces apart, the last of them padding, so that matrix loads, which read eight rows at one piece, do not meet in a bank.
/// </summary>
internal static class PaddedTile
{
    /// <summary>The piece that this lane names to load a 16x16 block as the left operand of <see cref="Mma"/>, from the block's first piece on.</summary>
    internal static int LeftOperand(int pitch) => ((Warp.LaneIdx & 15) * pitch) + (Warp.LaneIdx >> 4);

    /// <summary>The same for two right operands, 8 rows each, in one load: registers 0 and 1 are the first, 2 and 3 the second.</summary>
    internal static int RightOperands(int pitch) => ((((Warp.LaneIdx >> 4) * 8) + (Warp.LaneIdx & 7)) * pitch) + ((Warp.LaneIdx >> 3) & 1);
}
