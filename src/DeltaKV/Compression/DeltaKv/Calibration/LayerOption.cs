namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>What <see cref="ChunkAllocator"/> may choose for a layer.</summary>
/// <param name="OverheadBytes">Bytes per token that it takes besides chunks.</param>
/// <param name="Rates">Errors per dimension, in order of falling importance.</param>
internal readonly record struct LayerOption(int OverheadBytes, DimensionRate[] Rates);

