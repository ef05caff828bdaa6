using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>Where tokens to be coded are, raw.</summary>
/// <param name="Raw">The layer's blocks; every row of the table is the sequence's.</param>
/// <param name="Lists">Slots of the tokens, in order <c>[keyHeads, stride]</c>; an empty view: they follow each other.</param>
/// <param name="ListStride">Entries of a head's list; 0: all heads have the same.</param>
/// <param name="Positions">Positions of the tokens by slot; an empty view: nobody asks.</param>
/// <param name="FirstPosition">The slot that they begin with.</param>
internal readonly record struct KeptSource(
    KvBlocks<BFloat16> Raw, ArrayView<int> Lists = default, int ListStride = 0, ArrayView<int> Positions = default, int FirstPosition = 0);
