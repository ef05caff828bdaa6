using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Weights;

namespace DeltaKV.Compression.Eviction.Kept;

/// <summary>What codes of kept tokens take from a model.</summary>
/// <param name="Rope">Its rotary embedding.</param>
/// <param name="FirstLayer">The first layer's keys and values of every token, where that layer is recomputed; owned by whoever gets this.</param>
internal sealed record KeptModel(RopeParameters Rope, FirstLayerTable? FirstLayer = null);
