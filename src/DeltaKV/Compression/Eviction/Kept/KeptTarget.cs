using DeltaKV.Gpu;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>Where coded tokens go.</summary>
/// <param name="Blocks">Block numbers, as readers look them up.</param>
/// <param name="First">The token, counted from the beginning of <paramref name="Blocks"/>, that comes first; a multiple of a block.</param>
/// <param name="Count">Tokens; a multiple of a block.</param>
/// <param name="Origin">The slot at the beginning of <paramref name="Blocks"/>.</param>
internal readonly record struct KeptTarget(ArrayView<int> Blocks, int First, int Count, int Origin);
