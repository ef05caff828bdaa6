using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Cache.Reading;

/// <summary>Causal attention of prompt chunks over whatever a reader reads: <c>o_p = softmax(q_p K^T / sqrt(d)) V</c> over the tokens at or before p.</summary>
/// <remarks>
/// Shapes: qkv <c>[rows, (queryHeads + 2 keyHeads) d]</c> bf16, cut into tiles of 64 tokens of a sequence. One group of eight warps per (tile, key head, two of its query heads):
/// 64 tokens of K and V at a time, four warps reading keys and four values, then each warp attends from 16 queries of its head. What is read is so
/// reconstructed once per 128 queries. 4 d operations per query, head and token, and the reader's products over 128 queries; bound by the tensor cores.
/// Source: Dao, FlashAttention-2, 2023.
/// </remarks>
internal sealed class ReaderPrefillKernel<TReader>(Accelerator accelerator)
    where TReader : unmanaged, IKvReader<TReader>
{
    private const int Warps = 8;
    private const int HeadsPerGroup = 2;
    private const int TileTokens = 64;

    private readonly KernelOfHeads<PrefillReadArguments<TReader>> kernels =
        new(accelerator, Kernel<Heads.Of64>, Kernel<Heads.Of80>, Kernel<Heads.Of96>, Kernel<Heads.Of128>);

    internal void Launch(AcceleratorStream stream, PrefillReadArguments<TReader> arguments, AttentionShape shape, int tileCount)
    {
        if (tileCount == 0)
            return;
        shape.Validate();
        arguments.QueryHeads = shape.QueryHeads;
        arguments.GroupSize = shape.GroupSize;
        arguments.QkvWords = shape.QkvWidth / 2;
        arguments.Scale = shape.ScoreScale;
        var parts = (shape.GroupSize + HeadsPerGroup - 1) / HeadsPerGroup;
        var config = new KernelConfig(new Index3D(tileCount, shape.KeyHeads, parts), new Index3D(32 * Warps, 1, 1));
        kernels.Launch(stream, shape.HeadDim, config, arguments);
    }

    private static void Kernel<THead>(PrefillReadArguments<TReader> arguments)
        where THead : struct, IHead
    {
        var rows = arguments.Tiles[Grid.IdxX];
        var head = Grid.IdxY;
        if (arguments.WindowHeadsOnly != 0 && arguments.Order.ReadsHistory(head))
            return;
        var warp = Group.IdxX >> 5;
        var headInGroup = (Grid.IdxZ * HeadsPerGroup) + (warp >> 2);
        var query = (head * arguments.GroupSize) + Math.Min(headInGroup, arguments.GroupSize - 1);
        var length = rows.FirstPosition + rows.Count;
        var limits = arguments.Order.Bounds[rows.Sequence];
        var selectedCount = arguments.Order.SelectedOf(rows.Sequence, head);
        var codedCount = selectedCount < 0 ? limits.CodedEnd - limits.CodedStart : selectedCount;
        var rawCount = arguments.Order.RawCount(rows.Sequence, limits, length);
        var codedTiles = (codedCount + TileTokens - 1) / TileTokens;
        var tiles = codedTiles + ((rawCount + TileTokens - 1) / TileTokens);

        var shared = SharedMemory.Allocate<UInt4>(2 * TileTokens * ((THead.Dim / 8) + 1));
        var positions = SharedMemory.Allocate<int>(TileTokens);
        var tileChunks = 16 * ((THead.Dim / 8) + 1);
        var keys = shared.SubView(0);
        var values = shared.SubView(4 * tileChunks);

        var firstRow = 16 * (warp & 3);
        var queries = LocalMemory.Allocate<UInt4>(THead.Dim / 16);
        LoadQueries<THead>(queries, arguments, rows, firstRow, query);
        var position = rows.FirstPosition + firstRow + (Warp.LaneIdx >> 2);
        var output = LocalMemory.Allocate<Float4>(THead.Dim / 8);
        for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
            output[i] = new Float4(0f, 0f, 0f, 0f);
        var scores = LocalMemory.Allocate<Float4>(TileTokens / 8);
        // Finite: a row that sees nothing of a tile must not form infinity minus infinity.
        var max = new Float2(-1e30f, -1e30f);
        var sum = default(Float2);

        for (var tile = 0; tile < tiles; tile++)
        {
            var isCoded = tile < codedTiles;
            var index = ((isCoded ? tile : tile - codedTiles) * TileTokens) + firstRow + (Warp.LaneIdx & 15);
            var token = arguments.Order.PositionAt(rows.Sequence, head, limits, selectedCount, codedCount, length, isCoded, index);
            Group.Barrier();
            var isValue = warp >= 4;
            TReader.Load<THead>(
                arguments.Reader, rows.Sequence, head, isValue, isCoded, token, (isValue ? values : keys).SubView((warp & 3) * tileChunks));
            if (!isValue && Warp.LaneIdx < 16)
                positions[firstRow + Warp.LaneIdx] = token;
            Group.Barrier();

            for (var part = 0; part < Unroll.Full(TileTokens / 16); part++)
            {
                var pair = LocalMemory.Allocate<Float4>(2);
                pair[0] = new Float4(0f, 0f, 0f, 0f);
                pair[1] = new Float4(0f, 0f, 0f, 0f);
                WarpAttention.Scores<THead>(queries, keys.SubView(part * tileChunks), pair);
                scores[2 * part] = Masked(pair[0], positions, (16 * part) + (2 * (Warp.LaneIdx & 3)), position);
                scores[(2 * part) + 1] = Masked(pair[1], positions, (16 * part) + 8 + (2 * (Warp.LaneIdx & 3)), position);
            }

            var correction = Softmax.TakeRows(scores, TileTokens / 8, arguments.Scale, ref max, ref sum);
            for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
                output[i] = Softmax.ScaleRows(output[i], correction);
            for (var part = 0; part < Unroll.Full(TileTokens / 16); part++)
            {
                var weights = PrefillAttentionKernel.LeftOperand(scores[2 * part], scores[(2 * part) + 1]);
                WarpAttention.Accumulate<THead>(weights, values.SubView(part * tileChunks), output);
            }
        }

        if (headInGroup < arguments.GroupSize)
            PrefillAttentionKernel.Store<THead>(arguments.Output, arguments.QueryHeads, rows, query, firstRow, output, sum);
    }

    private static void LoadQueries<THead>(
        ArrayView<UInt4> queries, PrefillReadArguments<TReader> arguments, PrefillTile rows, int firstRow, int query)
        where THead : struct, IHead
    {
        // Rows past the end repeat the last one and are not stored.
        var row = firstRow + (Warp.LaneIdx >> 2);
        var upper = rows.FirstRow + Math.Min(row, rows.Count - 1);
        var lower = rows.FirstRow + Math.Min(row + 8, rows.Count - 1);
        var column = (query * (THead.Dim / 2)) + (Warp.LaneIdx & 3);
        var a = arguments.Qkv.SubView(((long)upper * arguments.QkvWords) + column);
        var b = arguments.Qkv.SubView(((long)lower * arguments.QkvWords) + column);
        for (var step = 0; step < Unroll.Full(THead.Dim / 16); step++)
            queries[step] = new UInt4(a[8 * step], b[8 * step], a[(8 * step) + 4], b[(8 * step) + 4]);
    }

    /// <summary>Hides tokens that are missing or after the query.</summary>
    private static Float4 Masked(Float4 scores, ArrayView<int> positions, int column, int query)
    {
        var a = positions[column];
        var b = positions[column + 1];
        return new Float4(
            a >= 0 && a <= query ? scores.X : float.NegativeInfinity,
            b >= 0 && b <= query ? scores.Y : float.NegativeInfinity,
            a >= 0 && a <= query + 8 ? scores.Z : float.NegativeInfinity,
            b >= 0 && b <= query + 8 ? scores.W : float.NegativeInfinity);
    }
}
