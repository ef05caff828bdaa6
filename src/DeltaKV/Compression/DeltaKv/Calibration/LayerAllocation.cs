using System.Collections.Immutable;
using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>What <see cref="ChunkAllocator"/> chose for a layer.</summary>
/// <param name="Option">Number of the option; -1: the layer has none.</param>
/// <param name="Chunks">Widths of the chunks, widest first.</param>
internal readonly record struct LayerAllocation(int Option, ImmutableArray<ChunkWidth> Chunks);
