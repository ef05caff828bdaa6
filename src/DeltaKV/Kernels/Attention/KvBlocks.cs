using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>The paged keys and values of one layer and the tables that say which block holds which tokens.</summary>
/// <remarks>
/// The token in slot p of a sequence is row p mod 64 of block <c>tables[sequence * stride + p / 64]</c>; a store of its own may have smaller blocks. Everything lies on the device, so that a captured graph
/// reads the tables of the step it is replayed in.
/// </remarks>
/// <param name="keys">Keys after RoPE <c>[blocks, keyHeads, 64, headDim]</c>.</param>
/// <param name="values">Values <c>[blocks, keyHeads, 64, headDim]</c>.</param>
/// <param name="tables">Block numbers <c>[sequences, stride]</c>.</param>
/// <param name="tableStride">Entries of a row of <paramref name="tables"/>.</param>
/// <param name="blockShift">Binary logarithm of the tokens of a block.</param>
/// <param name="starts">First slot that is read <c>[sequences]</c>, or an empty view: all from 0 on.</param>
internal readonly struct KvBlocks<T>(
    ArrayView<T> keys,
    ArrayView<T> values,
    ArrayView<int> tables,
    int tableStride,
    int blockShift = KvBlockLayout.Shift,
    ArrayView<int> starts = default)
    where T : unmanaged
{
    /// <summary>Keys.</summary>
    public readonly ArrayView<T> Keys = keys;

    /// <summary>Values.</summary>
    public readonly ArrayView<T> Values = values;

    /// <summary>Block numbers by sequence.</summary>
    public readonly ArrayView<int> Tables = tables;

    /// <summary>Entries of a row of the tables.</summary>
    public readonly int TableStride = tableStride;

    /// <summary>Binary logarithm of the tokens of a block. Attention over raw blocks takes <see cref="KvBlockLayout.Shift"/> for granted.</summary>
    public readonly int BlockShift = blockShift;

    /// <summary>First slot that is read, by sequence; below it there need not be blocks. Attention over raw blocks heeds it; an empty view costs nothing.</summary>
    public readonly ArrayView<int> Starts = starts;

    /// <summary>The row of the keys, and of the values, that a slot of a sequence has of one of so many heads.</summary>
    public long RowOf(int keyHeads, int head, int sequence, int slot) =>
        KvBlockLayout.RowOf(Tables[(sequence * TableStride) + (slot >> BlockShift)], keyHeads, head, slot, BlockShift);
}
