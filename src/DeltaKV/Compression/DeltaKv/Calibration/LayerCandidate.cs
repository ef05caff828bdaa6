namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>One way to code a layer: around its mean, or around references.</summary>
/// <param name="Transform">The coordinates.</param>
/// <param name="Neighbours">References of a token; 0: none.</param>
/// <param name="OverheadBytes">Bytes per token besides codes: ids, and the token's share of a reference.</param>
/// <param name="Rates">Errors of its dimensions by width.</param>
internal sealed record LayerCandidate(LayerTransform Transform, int Neighbours, int OverheadBytes, DimensionRate[] Rates);
