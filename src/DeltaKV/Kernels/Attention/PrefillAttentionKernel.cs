using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>Causal attention of many new tokens over their paged cache: <c>o_p = softmax(q_p K[0..p]^T / sqrt(d)) V[0..p]</c>.</summary>
/// <remarks>
/// Shapes: q <c>[rows, queryHeads, d]</c> of any number of sequences, cut into tiles of at most 64 tokens that start at any position. A group takes one tile and
/// query head; each of its four warps keeps 16 queries, their sums and their running maximum in registers, while the blocks of K and V
/// pass through two shared-memory stages of asynchronous copies. Where keys are there part after part, what a thread has summed waits in memory in between,
/// 16 (d / 8 + 1) bytes per thread and part each way, and the result is the same to the bit. Does 4 d operations per query, head and key; from a
/// few hundred tokens on bound by the tensor cores. Source: Dao, FlashAttention-2, 2023.
/// </remarks>
internal static class PrefillAttentionKernel
{
    /// <summary>Threads of a group.</summary>
    internal const int GroupSize = 128;

    private const int Stages = 2;

    /// <summary>Pieces of 16 bytes of dynamic shared memory.</summary>
    internal static int SharedChunks<THead>()
        where THead : struct, IHead => Stages * 2 * HeadTile.Chunks<THead>();

    internal static void Kernel<THead, TRange>(PrefillArguments arguments)
        where THead : struct, IHead
        where TRange : struct, IKeyRange
    {
        var shared = SharedMemory.GetDynamic<UInt4>();
        var tile = arguments.Tiles[Grid.IdxX];
        var head = Grid.IdxY;
        var keyHead = head / arguments.GroupSize;
        var table = arguments.Cache.Tables.SubView(tile.Sequence * (long)arguments.Cache.TableStride);
        var length = tile.FirstPosition + tile.Count;
        var end = TRange.IsPart ? Math.Min(length, arguments.Part.End) : length;
        var blocks = (end + KvBlockLayout.Size - 1) / KvBlockLayout.Size;
        var start = TRange.HasStart ? arguments.Cache.Starts[tile.Sequence] : TRange.IsPart ? arguments.Part.First : 0;
        var firstBlock = start / KvBlockLayout.Size;
        // The tile's last key was in a part before this one.
        if (TRange.IsPart && firstBlock >= blocks)
            return;

        // The queries pass through the second stage, which the first keys and values do not need yet.
        var queries = shared.SubView(2 * HeadTile.Chunks<THead>());
        HeadTile.Load<THead>(
            queries,
            arguments.Qkv.SubView(((long)tile.FirstRow * arguments.QkvStride) + (head * (THead.Dim / 8))),
            arguments.QkvStride,
            tile.Count);
        CpAsync.Commit();
        LoadBlock<THead, TRange>(
            arguments, shared, table[firstBlock], keyHead, start % KvBlockLayout.Size, end - (firstBlock * KvBlockLayout.Size));
        CpAsync.Commit();
        CpAsync.Wait(1);
        Group.Barrier();
        var firstQuery = (Group.IdxX >> 5) * 16;
        var q = LocalMemory.Allocate<UInt4>(THead.Dim / 16);
        for (var k = 0; k < Unroll.Full(THead.Dim / 16); k++)
            q[k] = HeadTile.LeftOperand<THead>(queries, firstQuery, k);

        var sums = LocalMemory.Allocate<Float4>(THead.Dim / 8);
        for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
            sums[i] = default;
        var largest = new Float2(float.NegativeInfinity, float.NegativeInfinity);
        var total = default(Float2);
        var between = TRange.IsPart ? SumsBetweenParts<THead>(arguments, head) : default;
        if (TRange.IsPart && firstBlock > 0)
            Resume<THead>(between, sums, out largest, out total);
        var position = tile.FirstPosition + firstQuery + (Warp.LaneIdx >> 2);
        var scores = LocalMemory.Allocate<Float4>(KvBlockLayout.Size / 8);
        for (var block = firstBlock; block < blocks; block++)
        {
            CpAsync.WaitAll();
            Group.Barrier();
            var stage = ((block - firstBlock) & 1) * 2 * HeadTile.Chunks<THead>();
            if (block + 1 < blocks)
            {
                var next = shared.SubView((2 * HeadTile.Chunks<THead>()) - stage);
                LoadBlock<THead, TRange>(arguments, next, table[block + 1], keyHead, 0, end - ((block + 1) * KvBlockLayout.Size));
                CpAsync.Commit();
            }

            Score<THead>(shared.SubView(stage), q, scores);
            var firstKey = block * KvBlockLayout.Size;
            if (firstKey + KvBlockLayout.Size > tile.FirstPosition + firstQuery)
                Mask(scores, position - firstKey);
            if (TRange.HasStart && firstKey < start)
                MaskBefore(scores, start - firstKey);
            var correction = Softmax.TakeRows(scores, KvBlockLayout.Size / 8, arguments.ScoreScale, ref largest, ref total);
            for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
                sums[i] = Softmax.ScaleRows(sums[i], correction);
            AddValues<THead>(shared.SubView(stage + HeadTile.Chunks<THead>()), scores, sums);
        }

        if (TRange.IsPart && end < length)
            Suspend<THead>(between, sums, largest, total);
        else
            Store<THead>(arguments.Output, arguments.QueryHeads, tile, head, firstQuery, sums, total);
    }

    /// <summary>Where this thread's sums are between parts; those of neighbours lie beside each other.</summary>
    private static ArrayView<Float4> SumsBetweenParts<THead>(in PrefillArguments arguments, int head)
        where THead : struct, IHead =>
        arguments.Part.Sums.SubView(((((long)Grid.IdxX * arguments.QueryHeads) + head) * ((THead.Dim / 8) + 1) * GroupSize) + Group.IdxX);

    private static void Suspend<THead>(ArrayView<Float4> between, ArrayView<Float4> sums, Float2 largest, Float2 total)
        where THead : struct, IHead
    {
        for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
            between[i * GroupSize] = sums[i];
        between[THead.Dim / 8 * GroupSize] = new Float4(largest.X, largest.Y, total.X, total.Y);
    }

    private static void Resume<THead>(ArrayView<Float4> between, ArrayView<Float4> sums, out Float2 largest, out Float2 total)
        where THead : struct, IHead
    {
        for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
            sums[i] = between[i * GroupSize];
        var softmax = between[THead.Dim / 8 * GroupSize];
        largest = new Float2(softmax.X, softmax.Y);
        total = new Float2(softmax.Z, softmax.W);
    }

    /// <summary>Starts copying a block's keys and values of one head; tokens before <paramref name="first"/> and from <paramref name="valid"/> on become zero.</summary>
    private static void LoadBlock<THead, TRange>(in PrefillArguments arguments, ArrayView<UInt4> stage, int block, int keyHead, int first, int valid)
        where THead : struct, IHead
        where TRange : struct, IKeyRange
    {
        var source = (((long)block * arguments.KeyHeads) + keyHead) * (KvBlockLayout.Size * (THead.Dim / 8));
        var rows = Math.Min(valid, KvBlockLayout.Size);
        if (TRange.HasStart)
        {
            HeadTile.LoadFrom<THead>(stage, arguments.Cache.Keys.SubView(source), THead.Dim / 8, first, rows);
            HeadTile.LoadFrom<THead>(stage.SubView(HeadTile.Chunks<THead>()), arguments.Cache.Values.SubView(source), THead.Dim / 8, first, rows);
            return;
        }

        HeadTile.Load<THead>(stage, arguments.Cache.Keys.SubView(source), THead.Dim / 8, rows);
        HeadTile.Load<THead>(stage.SubView(HeadTile.Chunks<THead>()), arguments.Cache.Values.SubView(source), THead.Dim / 8, rows);
    }

    /// <summary>Scores of this warp's 16 queries against 64 keys.</summary>
    internal static void Score<THead>(ArrayView<UInt4> keys, ArrayView<UInt4> q, ArrayView<Float4> scores)
        where THead : struct, IHead
    {
        for (var j = 0; j < Unroll.Full(KvBlockLayout.Size / 16); j++)
        {
            Float4 first = default, second = default;
            for (var k = 0; k < Unroll.Full(THead.Dim / 16); k++)
            {
                var b = HeadTile.RightOperands<THead>(keys, j * 16, k);
                first = Mma.BFloat16(q[k], new UInt2(b.X, b.Y), first);
                second = Mma.BFloat16(q[k], new UInt2(b.Z, b.W), second);
            }

            scores[2 * j] = first;
            scores[(2 * j) + 1] = second;
        }
    }

    /// <summary>Hides the keys after the query: those beyond <paramref name="last"/> for the upper row, 8 more for the lower.</summary>
    private static void Mask(ArrayView<Float4> scores, int last)
    {
        for (var j = 0; j < Unroll.Full(KvBlockLayout.Size / 8); j++)
        {
            var key = (8 * j) + (2 * (Warp.LaneIdx & 3));
            var score = scores[j];
            scores[j] = new Float4(
                key <= last ? score.X : float.NegativeInfinity,
                key + 1 <= last ? score.Y : float.NegativeInfinity,
                key <= last + 8 ? score.Z : float.NegativeInfinity,
                key + 1 <= last + 8 ? score.W : float.NegativeInfinity);
        }
    }

    /// <summary>Hides the keys before <paramref name="first"/>.</summary>
    private static void MaskBefore(ArrayView<Float4> scores, int first)
    {
        for (var j = 0; j < Unroll.Full(KvBlockLayout.Size / 8); j++)
        {
            var key = (8 * j) + (2 * (Warp.LaneIdx & 3));
            var score = scores[j];
            scores[j] = new Float4(
                key >= first ? score.X : float.NegativeInfinity,
                key + 1 >= first ? score.Y : float.NegativeInfinity,
                key >= first ? score.Z : float.NegativeInfinity,
                key + 1 >= first ? score.W : float.NegativeInfinity);
        }
    }

    /// <summary>Adds 64 rows of V times their weights.</summary>
    private static void AddValues<THead>(ArrayView<UInt4> values, ArrayView<Float4> weights, ArrayView<Float4> sums)
        where THead : struct, IHead
    {
        for (var k = 0; k < Unroll.Full(KvBlockLayout.Size / 16); k++)
        {
            var a = LeftOperand(weights[2 * k], weights[(2 * k) + 1]);
            for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
            {
                var b = HeadTile.RightColumns<THead>(values, k * 16, 2 * i);
                sums[2 * i] = Mma.BFloat16(a, new UInt2(b.X, b.Y), sums[2 * i]);
                sums[(2 * i) + 1] = Mma.BFloat16(a, new UInt2(b.Z, b.W), sums[(2 * i) + 1]);
            }
        }
    }

    /// <summary>Weights of 16 keys as a left operand.</summary>
    internal static UInt4 LeftOperand(Float4 low, Float4 high) => new(
        BFloat16x2.FromSingles(low.X, low.Y).Bits,
        BFloat16x2.FromSingles(low.Z, low.W).Bits,
        BFloat16x2.FromSingles(high.X, high.Y).Bits,
        BFloat16x2.FromSingles(high.Z, high.W).Bits);

    /// <summary>Writes a warp's 16 queries of one head, but for those past the end of the tile.</summary>
    internal static void Store<THead>(
        ArrayView<BFloat16x2> rows, int queryHeads, PrefillTile tile, int head, int firstQuery, ArrayView<Float4> sums, Float2 total)
        where THead : struct, IHead
    {
        var upper = FastMath.Rcp(Softmax.RowSum(total.X));
        var lower = FastMath.Rcp(Softmax.RowSum(total.Y));
        var query = firstQuery + (Warp.LaneIdx >> 2);
        var stride = queryHeads * (THead.Dim / 2);
        var output = rows.SubView(((long)(tile.FirstRow + query) * stride) + (head * (THead.Dim / 2)) + (Warp.LaneIdx & 3));
        if (query < tile.Count)
        {
            for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
                output[4 * i] = BFloat16x2.FromSingles(sums[i].X * upper, sums[i].Y * upper);
        }

        if (query + 8 < tile.Count)
        {
            var below = output.SubView(8 * stride);
            for (var i = 0; i < Unroll.Full(THead.Dim / 8); i++)
                below[4 * i] = BFloat16x2.FromSingles(sums[i].Z * lower, sums[i].W * lower);
        }
    }
}
