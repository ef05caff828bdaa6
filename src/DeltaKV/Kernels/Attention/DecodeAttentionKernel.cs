using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>Attention of one query per sequence over its paged cache: <c>o = softmax(q K^T / sqrt(d)) V</c>, split along the keys.</summary>
/// <remarks>
/// Shapes: q <c>[rows, queryHeads, d]</c>, keys and values in blocks of 64 tokens. A group takes one split of the blocks of one key head and all query
/// heads that share it, so K and V are read once. Each of its four warps takes 16 tokens of every block and works without shared memory:
/// scores are K Q^T with 16 tokens as the tensor core's M and 8 heads as its N (the order of d in a dot product is free, so a lane's 16 bytes of a row of K are
/// fragments as they come); the exponentials, transposed in registers, are the right operand of V^T P, whose left operand is made of
/// 16 bytes of four rows of V by byte shuffles. The keys of the next block are on their way while this one is finished; those of the first are
/// asked for before the kernel that appends the newest token has ended.
/// Moves 4 * tokens * keyHeads * d bytes for 4 * tokens * queryHeads * d operations: bound by memory.
/// Sources: Dao et al., FlashDecoding, 2023; the split sizes come from the positions on the device, so a captured graph replays.
/// </remarks>
internal static class DecodeAttentionKernel
{
    /// <summary>Warps of a group.</summary>
    internal const int Warps = 4;

    /// <summary>Blocks of a split up to which waiting for memory, not its speed, decides.</summary>
    private const int ShortSplit = 4;

    private const int WarpTokens = KvBlockLayout.Size / Warps;

    /// <summary>Sets of 8 query heads that a warp works on.</summary>
    internal interface IHeadSets
    {
        /// <summary>1 for up to 8 query heads per key head, 2 for up to 16.</summary>
        static abstract int Count { get; }
    }

    internal static void Kernel<THead, TSets, TRange>(DecodeArguments arguments)
        where THead : struct, IHead
        where TSets : struct, IHeadSets
        where TRange : struct, IKeyRange
    {
        var row = Grid.IdxZ;
        var keyHead = Grid.IdxY;
        var length = arguments.Rows.Positions[row] + 1;
        var blocks = (length + KvBlockLayout.Size - 1) >> KvBlockLayout.Shift;
        var start = TRange.HasStart ? arguments.Cache.Starts[arguments.Rows.Sequences[row]] : 0;
        var firstBlock = start >> KvBlockLayout.Shift;
        var blocksPerSplit = (blocks - firstBlock + arguments.Splits - 1) / arguments.Splits;
        var block = firstBlock + (Grid.IdxX * blocksPerSplit);

        // What follows is a weight's turn. A short sequence leaves the memory idle, so it may start at once; a long one uses all of it.
        if (blocksPerSplit <= ShortSplit)
            GridDependency.LaunchDependents();
        if (block >= blocks)
        {
            GridDependency.Wait();
            if (arguments.Splits == 1)
                DecodeFinish.WriteZeros<THead>(arguments, row, keyHead);
            return;
        }

        // Tokens before the newest were in the cache before this step began.
        var firstToken = (Group.IdxX >> 5) * WarpTokens;
        var end = Math.Min(block + blocksPerSplit, (length - firstToken + KvBlockLayout.Size - 1) >> KvBlockLayout.Shift);
        var table = arguments.Cache.Tables.SubView(arguments.Rows.Sequences[row] * (long)arguments.Cache.TableStride);
        // A warp whose tokens of the first block all lie before the start begins with the next, which may be beyond the end.
        if (TRange.HasStart)
            block = Math.Max(block, (start - firstToken + KvBlockLayout.Size - WarpTokens) >> KvBlockLayout.Shift);
        var firstRow = KvBlockLayout.RowOf(table[Math.Min(block, blocks - 1)], arguments.KeyHeads, keyHead, 0) + firstToken;
        var keys = LocalMemory.Allocate<UInt4>(2 * ((THead.Dim + 31) / 32));
        for (var j = 0; j < Unroll.Full(2 * ((THead.Dim + 31) / 32)); j++)
            keys[j] = default;
        var last = length - (block << KvBlockLayout.Shift) - firstToken - 1;
        if (last >= WarpTokens)
            LoadKeys<THead>(arguments, firstRow, last, keys);
        var nextBlock = table[Math.Min(block + 1, blocks - 1)];
        GridDependency.Wait();
        if (last is >= 0 and < WarpTokens)
            LoadKeys<THead>(arguments, firstRow, last, keys);

        var q = LocalMemory.Allocate<UInt4>(TSets.Count * ((THead.Dim + 31) / 32));
        LoadQueries<THead, TSets>(arguments, row, keyHead, q);
        var sums = LocalMemory.Allocate<Float4>(TSets.Count * ((THead.Dim + 63) / 64) * 4);
        for (var i = 0; i < Unroll.Full(TSets.Count * ((THead.Dim + 63) / 64) * 4); i++)
            sums[i] = default;
        var largest = LocalMemory.Allocate<Float2>(TSets.Count);
        var total = LocalMemory.Allocate<Float2>(TSets.Count);
        for (var set = 0; set < Unroll.Full(TSets.Count); set++)
        {
            largest[set] = new Float2(float.NegativeInfinity, float.NegativeInfinity);
            total[set] = default;
        }

        var scores = LocalMemory.Allocate<Float4>(TSets.Count);
        var weights = LocalMemory.Allocate<UInt2>(TSets.Count);
        var values = LocalMemory.Allocate<UInt4>(4 * ((THead.Dim + 63) / 64));
        var limits = default(ReadBounds);
        if (TRange.IsObserved)
            limits = arguments.Bounds[arguments.Rows.Sequences[row]];
        for (; block < end; block++)
        {
            var valid = length - (block << KvBlockLayout.Shift) - firstToken;
            var first = start - (block << KvBlockLayout.Shift) - firstToken;
            LoadValues<THead, TRange>(arguments, firstRow, first, valid - 1, values);
            Score<THead, TSets>(keys, q, scores);

            // The keys of the next block, whose number is here, and the number of the one after. At the end both are read in vain.
            firstRow = KvBlockLayout.RowOf(nextBlock, arguments.KeyHeads, keyHead, 0) + firstToken;
            LoadKeys<THead>(arguments, firstRow, Math.Max(0, valid - KvBlockLayout.Size - 1), keys);
            nextBlock = table[Math.Min(block + 2, blocks - 1)];
            if (TRange.IsObserved)
                Keep<TSets>(arguments, row, keyHead, limits, (block << KvBlockLayout.Shift) + firstToken, scores);
            for (var set = 0; set < Unroll.Full(TSets.Count); set++)
            {
                scores[set] = TRange.HasStart
                    ? Mask(
                        scores[set],
                        (Warp.LaneIdx >> 2) < valid && (Warp.LaneIdx >> 2) >= first,
                        (Warp.LaneIdx >> 2) + 8 < valid && (Warp.LaneIdx >> 2) + 8 >= first)
                    : Mask(scores[set], (Warp.LaneIdx >> 2) < valid, (Warp.LaneIdx >> 2) + 8 < valid);
                var correction = Softmax.TakeColumns(ref scores[set], arguments.ScoreScale, ref largest[set], ref total[set]);
                weights[set] = new UInt2(Transposed(scores[set].X, scores[set].Y), Transposed(scores[set].Z, scores[set].W));
                for (var i = set * ((THead.Dim + 63) / 64) * 4; i < Unroll.Full((set + 1) * ((THead.Dim + 63) / 64) * 4); i++)
                    sums[i] = Softmax.ScaleColumns(sums[i], correction);
            }

            AddValues<THead, TSets>(values, weights, sums);
        }

        GridDependency.LaunchDependents();
        DecodeFinish.Write<THead, TSets, TRange>(arguments, row, keyHead, sums, largest, total);
    }

    private static void LoadQueries<THead, TSets>(in DecodeArguments arguments, int row, int keyHead, ArrayView<UInt4> q)
        where THead : struct, IHead
        where TSets : struct, IHeadSets
    {
        for (var set = 0; set < Unroll.Full(TSets.Count); set++)
        {
            var head = (keyHead * arguments.GroupSize) + Math.Min((set * 8) + (Warp.LaneIdx >> 2), arguments.GroupSize - 1);
            var source = arguments.Qkv.SubView(((long)row * arguments.QkvStride) + (head * (THead.Dim / 8)) + (Warp.LaneIdx & 3));
            for (var j = 0; j < Unroll.Full((THead.Dim + 31) / 32); j++)
            {
                UInt4 piece = default;
                if (THead.Dim % 32 == 0 || (Warp.LaneIdx & 3) + (4 * j) < THead.Dim / 8)
                    piece = source[4 * j];
                q[(set * ((THead.Dim + 31) / 32)) + j] = piece;
            }
        }
    }

    /// <summary>Loads 16 rows of K as left operands: tokens g and g + 8 of lane group g. Rows after <paramref name="last"/> read it again.</summary>
    private static void LoadKeys<THead>(in DecodeArguments arguments, long firstRow, int last, ArrayView<UInt4> keys)
        where THead : struct, IHead
    {
        var token = Warp.LaneIdx >> 2;
        var source = arguments.Cache.Keys.SubView((firstRow * (THead.Dim / 8)) + (Warp.LaneIdx & 3));
        var upper = source.SubView(Math.Min(token, last) * (THead.Dim / 8));
        var lower = source.SubView(Math.Min(token + 8, last) * (THead.Dim / 8));
        for (var j = 0; j < Unroll.Full((THead.Dim + 31) / 32); j++)
        {
            var isInside = THead.Dim % 32 == 0 || (Warp.LaneIdx & 3) + (4 * j) < THead.Dim / 8;
            keys[2 * j] = LoadPiece<THead>(upper, 4 * j, isInside);
            keys[(2 * j) + 1] = LoadPiece<THead>(lower, 4 * j, isInside);
        }
    }

    /// <summary>Loads 16 rows of V: tokens 2t, 2t + 1, 2t + 8 and 2t + 9 of lane t of a group, 8 elements each. Rows that are not read are others again: their weight is 0.</summary>
    private static void LoadValues<THead, TRange>(in DecodeArguments arguments, long firstRow, int first, int last, ArrayView<UInt4> values)
        where THead : struct, IHead
        where TRange : struct, IKeyRange
    {
        var token = 2 * (Warp.LaneIdx & 3);
        var source = arguments.Cache.Values.SubView((firstRow * (THead.Dim / 8)) + (Warp.LaneIdx >> 2));
        for (var i = 0; i < Unroll.Full(4); i++)
        {
            var row = Math.Min(token + (i & 1) + (8 * (i >> 1)), last);
            if (TRange.HasStart)
                row = Math.Max(row, first);
            var from = source.SubView(row * (THead.Dim / 8));
            for (var h = 0; h < Unroll.Full((THead.Dim + 63) / 64); h++)
            {
                var isInside = THead.Dim % 64 == 0 || (Warp.LaneIdx >> 2) + (8 * h) < THead.Dim / 8;
                values[(4 * h) + i] = LoadPiece<THead>(from, 8 * h, isInside);
            }
        }
    }

    /// <summary>16 bytes of a row; zero beyond the end of a head whose size is no multiple of the fragments'.</summary>
    private static UInt4 LoadPiece<THead>(ArrayView<UInt4> row, int at, bool isInside)
        where THead : struct, IHead
    {
        if (THead.Dim % 64 == 0)
            return Cached.LoadOnce(ref row[at]);
        UInt4 piece = default;
        if (isInside)
            piece = Cached.LoadOnce(ref row[at]);
        return piece;
    }

    /// <summary>Scores of 16 tokens for 8 heads per set: rows are tokens, columns heads. Two chains of products, for one would wait on itself.</summary>
    private static void Score<THead, TSets>(ArrayView<UInt4> keys, ArrayView<UInt4> q, ArrayView<Float4> scores)
        where THead : struct, IHead
        where TSets : struct, IHeadSets
    {
        for (var set = 0; set < Unroll.Full(TSets.Count); set++)
        {
            Float4 first = default, second = default;
            for (var j = 0; j < Unroll.Full((THead.Dim + 31) / 32); j++)
            {
                var query = q[(set * ((THead.Dim + 31) / 32)) + j];
                var upper = keys[2 * j];
                var lower = keys[(2 * j) + 1];
                first = Mma.BFloat16(new UInt4(upper.X, lower.X, upper.Y, lower.Y), new UInt2(query.X, query.Y), first);
                second = Mma.BFloat16(new UInt4(upper.Z, lower.Z, upper.W, lower.W), new UInt2(query.Z, query.W), second);
            }

            scores[set] = new Float4(first.X + second.X, first.Y + second.Y, first.Z + second.Z, first.W + second.W);
        }
    }

    /// <summary>Leaves the scores of 16 tokens behind, of those that an observer may choose from.</summary>
    private static void Keep<TSets>(in DecodeArguments arguments, int row, int keyHead, ReadBounds limits, int position, ArrayView<Float4> scores)
        where TSets : struct, IHeadSets
    {
        for (var set = 0; set < Unroll.Full(TSets.Count); set++)
        {
            arguments.Logits.Keep(
                ((long)row * arguments.KeyHeads) + keyHead, set, position - limits.CodedStart, limits.CodedEnd - limits.CodedStart, scores[set], arguments.ScoreScale);
        }
    }

    /// <summary>Adds 16 rows of V times their weights.</summary>
    private static void AddValues<THead, TSets>(ArrayView<UInt4> values, ArrayView<UInt2> weights, ArrayView<Float4> sums)
        where THead : struct, IHead
        where TSets : struct, IHeadSets
    {
        for (var h = 0; h < Unroll.Full((THead.Dim + 63) / 64); h++)
        {
            var v0 = values[4 * h];
            var v1 = values[(4 * h) + 1];
            var v8 = values[(4 * h) + 2];
            var v9 = values[(4 * h) + 3];
            for (var set = 0; set < Unroll.Full(TSets.Count); set++)
            {
                var at = ((set * ((THead.Dim + 63) / 64)) + h) * 4;
                sums[at] = Mma.BFloat16(Columns(v0.X, v1.X, v8.X, v9.X), weights[set], sums[at]);
                sums[at + 1] = Mma.BFloat16(Columns(v0.Y, v1.Y, v8.Y, v9.Y), weights[set], sums[at + 1]);
                sums[at + 2] = Mma.BFloat16(Columns(v0.Z, v1.Z, v8.Z, v9.Z), weights[set], sums[at + 2]);
                sums[at + 3] = Mma.BFloat16(Columns(v0.W, v1.W, v8.W, v9.W), weights[set], sums[at + 3]);
            }
        }
    }

    /// <summary>Two elements of four tokens as a left operand whose rows are the even elements above the odd ones.</summary>
    internal static UInt4 Columns(uint v0, uint v1, uint v8, uint v9) =>
        new(Bytes.PackLow(v0, v1), Bytes.PackHigh(v0, v1), Bytes.PackLow(v8, v9), Bytes.PackHigh(v8, v9));

    private static Float4 Mask(Float4 scores, bool upper, bool lower) => new(
        upper ? scores.X : float.NegativeInfinity,
        upper ? scores.Y : float.NegativeInfinity,
        lower ? scores.Z : float.NegativeInfinity,
        lower ? scores.W : float.NegativeInfinity);

    private static uint Transposed(float even, float odd) => MoveMatrix.Transpose(BFloat16x2.FromSingles(even, odd).Bits);
}
