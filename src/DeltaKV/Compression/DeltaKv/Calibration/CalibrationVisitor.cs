namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Receives what one layer cached of a document, and the queries that were asked of it; both stay as they are afterwards.</summary>
/// <param name="layer">The layer's number.</param>
/// <param name="rows">Kv of all tokens as it is coded: before RoPE, after a key norm, <c>[tokens, Width]</c>.</param>
/// <param name="queries">Queries after RoPE at the chosen positions, <c>[positions, Heads * HeadDim]</c>.</param>
internal delegate void CalibrationVisitor(int layer, ReadOnlyMemory<float> rows, ReadOnlyMemory<float> queries);
