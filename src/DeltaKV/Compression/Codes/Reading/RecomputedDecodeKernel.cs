using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>
/// Decode attention over the recomputed first layer, whose kv before RoPE is a row of a table by token id: <c>o = softmax(q RoPE(p)(K[id[p]]) / sqrt(d)) V[id[p]]</c>, split along the tokens.
/// </summary>
/// <remarks>
/// Built like the attention over raw blocks: a group takes a share of the tokens of one key head and up to 8 of its query heads, each of its four warps 16 of every 64 tokens, without
/// shared memory for keys and values. Rows are halves; a lane's 16 bytes of a row of K and their RoPE partners are turned in its registers by <see cref="KeyTurns"/>. Row numbers are read a tile ahead,
/// keys while the tile before is finished. A last group per head attends to the raw tokens. Coded tokens come in blocks of 16.
/// Moves <c>4 keyHeads d</c> bytes per token in pieces of 2 d bytes, what raw attention moves, from L2 where a text repeats its words: bound by memory.
/// </remarks>
internal static class RecomputedDecodeKernel
{
    internal const int Warps = 4;

    private const int WarpTokens = 16;
    private const int TileTokens = Warps * WarpTokens;

    /// <summary>16-byte pieces of dynamic shared memory.</summary>
    internal static int Pieces<THead>()
        where THead : struct, IHead => Math.Max(
            (TileTokens * KeyTurns.Stride<THead>()) + THead.Dim + (Warps * THead.Dim / 8) + (THead.Dim / 8),
            Math.Max(RawSplit.Pieces(THead.Dim, Warps), Warps * WarpMerge.Floats(THead.Dim) / 4));

    internal static void Kernel<THead>(LatentArguments arguments)
        where THead : struct, IHead
    {
        var queryGroup = new QueryGroup(arguments.QueryHeads, arguments.KeyHeads);
        var (head, firstQuery, queryCount) = (queryGroup.KeyHead, queryGroup.First, queryGroup.Count);
        var row = Grid.IdxZ;
        if (Grid.IdxX == arguments.Splits)
        {
            GridDependency.Wait();
            RawSplit.Attend<THead, RawSplit.Four>(arguments, row, head, firstQuery, queryCount);
            return;
        }

        var shared = SharedMemory.GetDynamic<UInt4>();
        var rope = shared.SubView(0L, TileTokens * KeyTurns.Stride<THead>());
        var queries = shared.SubView((long)(TileTokens * KeyTurns.Stride<THead>()), THead.Dim);
        var turns = shared.SubView((long)((TileTokens * KeyTurns.Stride<THead>()) + THead.Dim + ((Group.IdxX >> 5) * (THead.Dim / 8))), THead.Dim / 8);
        var frequencies = shared.SubView((long)((TileTokens * KeyTurns.Stride<THead>()) + THead.Dim + (Warps * THead.Dim / 8)), THead.Dim / 8).Cast<float>();
        for (var i = Group.IdxX; i < THead.Dim / 2; i += Group.DimX)
            frequencies[i] = arguments.Pool.InverseFrequencies[i];
        KeyTurns.Prepare<THead>(arguments.Pool, TileTokens, rope);
        GridDependency.Wait();

        var sequence = arguments.Rows.Positions[row] < 0 ? -1 : arguments.Rows.Sequences[row];
        var limits = arguments.Order.Bounds[Math.Max(sequence, 0)];
        var count = sequence < 0 ? 0 : limits.CodedEnd - limits.CodedStart;
        var tiles = (count + TileTokens - 1) / TileTokens;
        var tilesPerSplit = (tiles + arguments.Splits - 1) / arguments.Splits;
        var tile = Grid.IdxX * tilesPerSplit;
        var target = ((long)row * arguments.QueryHeads) + firstQuery;
        if (tile >= tiles)
        {
            // Its weight is 0, and so must be what is multiplied by it.
            for (var i = Group.IdxX; i < queryCount * THead.Dim; i += Group.DimX)
            {
                var split = ((target + (i / THead.Dim)) * (arguments.Splits + 1)) + Grid.IdxX;
                arguments.PartialRaw[(split * THead.Dim) + (i % THead.Dim)] = 0f;
                arguments.PartialSoftmax[split] = new Float2(float.NegativeInfinity, 0f);
            }

            return;
        }

        KeyTurns.LoadQueries<THead>(arguments, row, firstQuery, queryCount, queries);
        Group.Barrier();

        var firstToken = (Group.IdxX >> 5) * WarpTokens;
        // The warp's last tile; it has none if it begins behind it.
        var end = Math.Min(tile + tilesPerSplit, (count - firstToken + TileTokens - 1) / TileTokens);
        var ids = arguments.Pool.TokenIds.SubView(((long)sequence * arguments.Pool.TokenStride) + limits.CodedStart + firstToken + (Warp.LaneIdx & 15));
        var rowPieces = arguments.KeyHeads * (THead.Dim / 4);
        var table = arguments.Pool.TokenRows.Cast<UInt4>();
        var keySource = table.SubView((long)((head * (THead.Dim / 8)) + (Warp.LaneIdx & 3)));
        var valueSource = table.SubView((long)(((arguments.KeyHeads + head) * (THead.Dim / 8)) + (Warp.LaneIdx >> 2)));
        var keys = LocalMemory.Allocate<UInt4>(THead.Dim / 16);
        var values = LocalMemory.Allocate<UInt4>(THead.Dim / 16);
        for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
            keys[i] = default;
        var sums = LocalMemory.Allocate<Float4>(THead.Dim / 16);
        for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
            sums[i] = default;
        var largest = new Float2(float.NegativeInfinity, float.NegativeInfinity);
        var total = default(Float2);
        var rows = 0;
        var nextRows = 0;
        if (tile < end)
        {
            rows = ids[tile * TileTokens] * rowPieces;
            nextRows = ids[Math.Min(tile + 1, end - 1) * TileTokens];
            LoadKeys<THead>(keySource, rows, keys);
        }

        for (; tile < end; tile++)
        {
            LoadValues<THead>(valueSource, rows, values);
            Warp.Barrier();
            KeyTurns.TurnTo<THead>(frequencies, limits.CodedStart + (tile * TileTokens), turns.Cast<uint>());
            Warp.Barrier();
            var score = Score<THead>(keys, queries, turns, rope, firstToken + (Warp.LaneIdx >> 2));

            // The keys of the next tile, whose rows are known, and the ids of the one after. At the end both are read in vain.
            rows = nextRows * rowPieces;
            LoadKeys<THead>(keySource, rows, keys);
            nextRows = ids[Math.Min(tile + 2, end - 1) * TileTokens];
            if (arguments.Logits.AreKept)
                arguments.Logits.Keep(((long)row * arguments.KeyHeads) + head, queryGroup.Part, (tile * TileTokens) + firstToken, count, score, arguments.Scale);
            var correction = Softmax.TakeColumns(ref score, arguments.Scale, ref largest, ref total);
            for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
                sums[i] = Softmax.ScaleColumns(sums[i], correction);
            var weights = new UInt2(MoveMatrix.Transpose(Half2.FromSingles(score.X, score.Y).Bits), MoveMatrix.Transpose(Half2.FromSingles(score.Z, score.W).Bits));
            AddValues<THead>(values, weights, sums);
        }

        GridDependency.LaunchDependents();
        Group.Barrier();
        Finish<THead>(arguments, target, queryCount, sums, largest, total, shared.Cast<float>());
    }

    /// <summary>Keys of tokens g and g + 8: pieces of eight elements t, t + 4, ...</summary>
    private static void LoadKeys<THead>(ArrayView<UInt4> source, int rows, ArrayView<UInt4> keys)
        where THead : struct, IHead
    {
        var upper = Warp.Shuffle(rows, Warp.LaneIdx >> 2);
        var lower = Warp.Shuffle(rows, (Warp.LaneIdx >> 2) + 8);
        for (var j = 0; j < Unroll.Full(THead.Dim / 32); j++)
        {
            keys[2 * j] = Cached.LoadReadOnly(ref source[upper + (4 * j)]);
            keys[(2 * j) + 1] = Cached.LoadReadOnly(ref source[lower + (4 * j)]);
        }
    }

    /// <summary>Values of tokens 2t, 2t + 1, 2t + 8 and 2t + 9: pieces g, g + 8.</summary>
    private static void LoadValues<THead>(ArrayView<UInt4> source, int rows, ArrayView<UInt4> values)
        where THead : struct, IHead
    {
        for (var i = 0; i < Unroll.Full(4); i++)
        {
            var row = Warp.Shuffle(rows, (2 * (Warp.LaneIdx & 3)) + (i & 1) + (8 * (i >> 1)));
            for (var h = 0; h < Unroll.Full(THead.Dim / 64); h++)
                values[(4 * h) + i] = Cached.LoadReadOnly(ref source[row + (8 * h)]);
        }
    }

    /// <summary>Scores of 16 tokens for 8 heads: rows are tokens, columns heads. Two chains of products, for one would wait on itself.</summary>
    private static Float4 Score<THead>(ArrayView<UInt4> keys, ArrayView<UInt4> queries, ArrayView<UInt4> turns, ArrayView<UInt4> rope, int distance)
        where THead : struct, IHead
    {
        Float4 first = default, second = default;
        var turned = LocalMemory.Allocate<UInt2>(4);
        for (var pass = 0; pass < Unroll.Full(THead.Dim / 64); pass++)
        {
            KeyTurns.TurnQueries(queries, turns, true, pass, turned);
            var at = (distance * KeyTurns.Stride<THead>()) + (pass * 8) + (Warp.LaneIdx & 3);
            var (cosine, sine) = (rope[at], rope[at + 4]);
            var (low, high) = (keys[2 * pass], keys[2 * (pass + (THead.Dim / 64))]);
            var (x, y) = (Turned(low.X, high.X, cosine.X, sine.X), Turned(low.Y, high.Y, cosine.Y, sine.Y));
            var (z, w) = (Turned(low.Z, high.Z, cosine.Z, sine.Z), Turned(low.W, high.W, cosine.W, sine.W));
            at += 8 * KeyTurns.Stride<THead>();
            (cosine, sine) = (rope[at], rope[at + 4]);
            (low, high) = (keys[(2 * pass) + 1], keys[(2 * (pass + (THead.Dim / 64))) + 1]);
            first = Add(x, Turned(low.X, high.X, cosine.X, sine.X), turned[0], first);
            second = Add(y, Turned(low.Y, high.Y, cosine.Y, sine.Y), turned[1], second);
            first = Add(z, Turned(low.Z, high.Z, cosine.Z, sine.Z), turned[2], first);
            second = Add(w, Turned(low.W, high.W, cosine.W, sine.W), turned[3], second);
        }

        return new Float4(first.X + second.X, first.Y + second.Y, first.Z + second.Z, first.W + second.W);
    }

    private static UInt2 Turned(uint low, uint high, uint cosine, uint sine) =>
        KeyTurns.Rotated(new Half2(low), new Half2(high), new Half2(cosine), new Half2(sine));

    private static Float4 Add(UInt2 upper, UInt2 lower, UInt2 query, Float4 sum) =>
        Mma.Half(new UInt4(upper.X, lower.X, upper.Y, lower.Y), query, sum);

    /// <summary>Adds 16 rows of V times their weights: rows of fragment i are elements 8g + 64 (i / 4) + 2 (i mod 4) and, behind them, the next ones.</summary>
    private static void AddValues<THead>(ArrayView<UInt4> values, UInt2 weights, ArrayView<Float4> sums)
        where THead : struct, IHead
    {
        for (var h = 0; h < Unroll.Full(THead.Dim / 64); h++)
        {
            var (v0, v1, v8, v9) = (values[4 * h], values[(4 * h) + 1], values[(4 * h) + 2], values[(4 * h) + 3]);
            sums[4 * h] = Mma.Half(DecodeAttentionKernel.Columns(v0.X, v1.X, v8.X, v9.X), weights, sums[4 * h]);
            sums[(4 * h) + 1] = Mma.Half(DecodeAttentionKernel.Columns(v0.Y, v1.Y, v8.Y, v9.Y), weights, sums[(4 * h) + 1]);
            sums[(4 * h) + 2] = Mma.Half(DecodeAttentionKernel.Columns(v0.Z, v1.Z, v8.Z, v9.Z), weights, sums[(4 * h) + 2]);
            sums[(4 * h) + 3] = Mma.Half(DecodeAttentionKernel.Columns(v0.W, v1.W, v8.W, v9.W), weights, sums[(4 * h) + 3]);
        }
    }

    /// <summary>Adds the warps' results and writes the split's.</summary>
    private static void Finish<THead>(
        in LatentArguments arguments, long target, int queryCount, ArrayView<Float4> sums, Float2 largest, Float2 total, ArrayView<float> merged)
        where THead : struct, IHead
    {
        var stride = WarpMerge.Floats(THead.Dim);
        var own = merged.SubView((Group.IdxX >> 5) * stride, stride);
        WarpMerge.StoreSoftmax(own, THead.Dim, largest, total);
        var row = 2 * (Warp.LaneIdx & 3);
        for (var i = 0; i < Unroll.Full(THead.Dim / 16); i++)
        {
            var at = (row * THead.Dim) + (8 * (Warp.LaneIdx >> 2)) + (64 * (i / 4)) + (2 * (i % 4));
            own[at] = sums[i].X;
            own[at + 1] = sums[i].Z;
            own[at + THead.Dim] = sums[i].Y;
            own[at + THead.Dim + 1] = sums[i].W;
        }

        Group.Barrier();
        for (var pair = Group.IdxX; pair < queryCount * (THead.Dim / 2); pair += Group.DimX)
        {
            var query = pair / (THead.Dim / 2);
            var element = 2 * (pair % (THead.Dim / 2));
            var sum = WarpMerge.Add(merged, Warps, stride, THead.Dim, query, element);
            var split = ((target + query) * (arguments.Splits + 1)) + Grid.IdxX;
            arguments.PartialRaw[(split * THead.Dim) + element] = sum.Low;
            arguments.PartialRaw[(split * THead.Dim) + element + 1] = sum.High;
            if (element == 0)
                arguments.PartialSoftmax[split] = new Float2(sum.Largest, sum.Total);
        }
    }
}
