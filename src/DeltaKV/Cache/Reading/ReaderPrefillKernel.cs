using DeltaKV.Gpu;
using DeltaKV.Kernels;
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

    private readonly KernelHandle<PrefillReadArguments<TReader>> heads64 = new(accelerator, Kernel<Heads.Of64>);
    private readonly KernelHandle<PrefillReadArguments<TReader>> heads80 = new(accelerator, Kernel<Heads.Of80>);
    private readonly KernelHandle<PrefillReadArguments<TReader>> heads96 = new(accelerator, Kernel<Heads.Of96>);
    private readonly KernelHandle<PrefillReadArguments<TReader>> heads128 = new(accelerator, Kernel<Heads.Of128>);

    internal void Launch(AcceleratorStream stream, PrefillReadArguments<TReader> arguments, AttentionShape shape, int tileCount)
    {
        if (tileCount == 0)
            return;
        shape.Validate();
        arguments.QueryHeads = shape.QueryHeads;
        arguments.GroupSize = shape.GroupSize;
        arguments.QkvWords = shape.QkvWidth / 2;
        arguments.Scale = 1.4426950408889634f / MathF.Sqrt(shape.HeadDim);
        var parts = (shape.GroupSize + HeadsPerGroup - 1) / HeadsPerGroup;
        var config = new KernelConfig(new Index3D(tileCount, shape.KeyHeads, parts), new Index3D(32 * Warps, 1, 1));
        (shape.HeadDim switch { 64 => heads64, 80 => heads80, 96 => heads96, _ => heads128 }).Launch(stream, config, arguments);
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
        var max = new Float2(float.NegativeInfinity, float.NegativeInfinity);
        var sum = new Float2(0f, 0f);

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
                scores[2 * part] = Masked(pair[0], positions, (16 * part) + (2 * (Warp.LaneIdx & 3)), position, arguments.Scale);
                scores[(2 * part) + 1] = Masked(pair[1], positions, (16 * part) + 8 + (2 * (Warp.LaneIdx & 3)), position, arguments.Scale);
            }

            Update<THead>(scores, output, ref max, ref sum);
            for (var part = 0; part < Unroll.Full(TileTokens / 16); part++)
            {
                var low = scores[2 * part];
                var high = scores[(2 * part) + 1];
                var weights = new UInt4(Pack(low.X, low.Y), Pack(low.Z, low.W), Pack(high.X, high.Y), Pack(high.Z, high.W));
                WarpAttention.Accumulate<THead>(weights, values.SubView(part * tileChunks), output);
            }
        }

        Store<THead>(arguments, rows, firstRow, headInGroup, query, output, sum);
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

    /// <summary>Scales scores to base 2 and hides tokens that are missing or after the query.</summary>
    private static Float4 Masked(Float4 scores, ArrayView<int> positions, int column, int query, float scale)
    {
        var a = positions[column];
        var b = positions[column + 1];
        return new Float4(
            a >= 0 && a <= query ? scores.X * scale : float.NegativeInfinity,
            b >= 0 && b <= query ? scores.Y * scale : float.NegativeInfinity,
            a >= 0 && a <= query + 8 ? scores.Z * scale : float.NegativeInfinity,
            b >= 0 && b <= query + 8 ? scores.W * scale : float.NegativeInfinity);
    }

    private static void Update<THead>(ArrayView<Float4> scores, ArrayView<Float4> output, ref Float2 max, ref Float2 sum)
        where THead : struct, IHead
    {
        var upper = float.NegativeInfinity;
        var lower = float.NegativeInfinity;
        for (var i = 0; i < Unroll.Full(TileTokens / 8); i++)
        {
            upper = MathF.Max(upper, MathF.Max(scores[i].X, scores[i].Y));
            lower = MathF.Max(lower, MathF.Max(scores[i].Z, scores[i].W));
        }

        // A finite floor: a row that sees nothing of a tile must not form infinity minus infinity.
        upper = MathF.Max(MathF.Max(max.X, WarpAttention.RowMax(upper)), -1e30f);
        lower = MathF.Max(MathF.Max(max.Y, WarpAttention.RowMax(lower)), -1e30f);
        var scaleUpper = FastMath.Ex2(max.X - upper);
        var scaleLower = FastMath.Ex2(max.Y - lower);
        max = new Float2(upper, lower);
        var sumUpper = 0f;
        var sumLower = 0f;
        for (var i = 0; i < Unroll.Full(TileTokens / 8); i++)
        {
            var score = scores[i];
            scores[i] = new Float4(
                FastMath.Ex2(score.X - upper), FastMath.Ex2(score.Y - upper), FastMath.Ex2(score.Z - lower), FastMath.Ex2(score.W - lower));
            sumUpper += scores[i].X + scores[i].Y;
            sumLower += scores[i].Z + scores[i].W;
        }

        sum = new Float2((sum.X * scaleUpper) + sumUpper, (sum.Y * scaleLower) + sumLower);
        for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
            output[i] = new Float4(output[i].X * scaleUpper, output[i].Y * scaleUpper, output[i].Z * scaleLower, output[i].W * scaleLower);
    }

    private static void Store<THead>(
        PrefillReadArguments<TReader> arguments, PrefillTile rows, int firstRow, int headInGroup, int query, ArrayView<Float4> output, Float2 sum)
        where THead : struct, IHead
    {
        var upper = 1f / WarpAttention.RowSum(sum.X);
        var lower = 1f / WarpAttention.RowSum(sum.Y);
        if (headInGroup >= arguments.GroupSize)
            return;
        var row = firstRow + (Warp.LaneIdx >> 2);
        var stride = arguments.QueryHeads * (THead.Dim / 2);
        var target = arguments.Output.SubView(((long)(rows.FirstRow + row) * stride) + (query * (THead.Dim / 2)) + (Warp.LaneIdx & 3));
        for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
        {
            if (row < rows.Count)
                target[4 * i] = BFloat16x2.FromSingles(output[i].X * upper, output[i].Y * upper);
            if (row + 8 < rows.Count)
                target[(8 * stride) + (4 * i)] = BFloat16x2.FromSingles(output[i].Z * lower, output[i].W * lower);
        }
    }

    private static uint Pack(float low, float high) => BFloat16x2.FromSingles(low, high).Bits;
}
