using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>Which sequence and position every row of a batch is; on the device.</summary>
/// <param name="sequences">The row of the block tables <c>[rows]</c>.</param>
/// <param name="positions">The position in the sequence <c>[rows]</c>; negative for a padding row, which writes nothing to the cache and gets a zero output.</param>
internal readonly struct TokenRows(ArrayView<int> sequences, ArrayView<int> positions)
{
    /// <summary>Row of the block tables.</summary>
    public readonly ArrayView<int> Sequences = sequences;

    /// <summary>Position in the sequence.</summary>
    public readonly ArrayView<int> Positions = positions;
}
