namespace DeltaKV.Kernels.Attention;

/// <summary>Constants of the paged layout.</summary>
internal static class KvBlockLayout
{
    /// <summary>Tokens of a block.</summary>
    internal const int Size = 1 << Shift;

    /// <summary>Binary logarithm of <see cref="Size"/>.</summary>
    internal const int Shift = 6;

    /// <summary>The row, among those of all blocks <c>[block][keyHead][token]</c>, of the token that a slot of a sequence holds.</summary>
    /// <param name="block">The block of the slot.</param>
    /// <param name="keyHeads">Key/value heads.</param>
    /// <param name="head">One of them.</param>
    /// <param name="slot">Where in its sequence the token lies.</param>
    /// <param name="shift">Binary logarithm of the tokens of a block.</param>
    internal static long RowOf(int block, int keyHeads, int head, int slot, int shift = Shift) =>
        ((((long)block * keyHeads) + head) << shift) + (slot & ((1 << shift) - 1));
}
