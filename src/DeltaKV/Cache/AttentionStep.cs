using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache;

/// <summary>The rows of one step as attention sees them: rows that decode come first (row r is sequence r), then the rows of prompt chunks.</summary>
/// <param name="Rows">Sequence and position of every row, on the device.</param>
/// <param name="Tiles">The prompt rows cut into tiles, on the device.</param>
/// <param name="DecodeRows">Leading rows of one new token each, padding of a graph bucket included.</param>
/// <param name="TileCount">Tiles of prompt rows.</param>
/// <param name="RowCount">All rows.</param>
/// <param name="MaxLength">No sequence is ever longer; grids that must not depend on the step are sized by it.</param>
internal readonly record struct AttentionStep(TokenRows Rows, ArrayView<PrefillTile> Tiles, int DecodeRows, int TileCount, int RowCount, int MaxLength);
