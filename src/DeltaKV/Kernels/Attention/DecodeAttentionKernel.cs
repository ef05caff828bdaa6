using DeltaKV.Gpu;

namespace DeltaKV.Kernels.Attention;

/// <summary>Attention of one query per sequence over its paged cache: <c>o = softmax(q K^T / sqrt(d)) V</c>, split along the keys.</summary>
/// <remarks>
/// Shapes: q <c>[rows, queryHeads, d]</c>, keys and values in blocks of 64 tokens. A group takes one split of the tokens of one key head and all query
/// heads that share it, so K and V are read once. Its four warps take 32 tokens in turn and work without shared memory:
/// scores are K Q^T with 16 tokens as the tensor core's M and 8 heads as its N (the order of d in a dot product is free, so a lane's 16 bytes of a row of K are
/// fragments as they come); the exponentials, transposed in registers, are the right operand of V^T P, whose left operand is made of
/// 16 bytes of four rows of V by byte shuffles. Moves 4 * tokens * keyHeads * d bytes for 4 * tokens * queryHeads * d operations: bound by memory.
/// Sources: Dao et al., FlashDecoding, 2023; the split sizes come from the positions on the device, so a captured graph replays.
/// </remarks>
internal static class DecodeAttentionKernel
{
    /// <summary>Warps of a group.</summary>
    internal const int Warps = 4;

    private const int StepTokens = 32;

    /// <summary>Sets of 8 query heads that a warp works on.</summary>
    internal interface IHeadSets
    {
        /// <summary>1 for up to 8 query heads per key head, 2 for up to 16.</summary>
        static abstract int Count { get; }
    }

    internal static void Kernel<THead, TSets>(DecodeArguments arguments)
        where THead : struct, IHead
        where TSets : struct, IHeadSets
    {
        var row = Grid.IdxZ;
        var keyHead = Grid.IdxY;
        var length = arguments.Rows.Positions[row] + 1;
        var blocks = (length + KvBlockLayout.Size - 1) / KvBlockLayout.Size;
        var blocksPerSplit = (blocks + arguments.Splits - 1) / arguments.Splits;
        var first = Grid.IdxX * blocksPerSplit * KvBlockLayout.Size;
        var end = Math.Min(length, first + (blocksPerSplit * KvBlockLayout.Size));
        if (first >= end)
        {
            if (arguments.Splits == 1)
                DecodeFinish.WriteZeros<THead>(arguments, row, keyHead);
            return;
        }

        var lane = Warp.LaneIdx;
        var pieces = (THead.Dim + 31) / 32;
        var q = LocalMemory.Allocate<UInt4>(TSets.Count * ((THead.Dim + 31) / 32));
        for (var set = 0; set < Unroll.Full(TSets.Count); set++)
        {
            var head = (keyHead * arguments.GroupSize) + Math.Min((set * 8) + (lane >> 2), arguments.GroupSize - 1);
            var source = arguments.Qkv.SubView(((long)row * arguments.QkvStride) + (head * (THead.Dim / 8)));
            for (var j = 0; j < Unroll.Full((THead.Dim + 31) / 32); j++)
                q[(set * pieces) + j] = LoadPiece<THead>(source, (lane & 3) + (4 * j));
        }

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

        var table = arguments.Cache.Tables.SubView(arguments.Rows.Sequences[row] * (long)arguments.Cache.TableStride);
        for (var token = first + ((Group.IdxX >> 5) * StepTokens); token < end; token += Warps * StepTokens)
        {
            var block = table[token >> KvBlockLayout.Shift];
            var slot = ((((long)block * arguments.KeyHeads) + keyHead) << KvBlockLayout.Shift) + (token & (KvBlockLayout.Size - 1));
            var keys = arguments.Cache.Keys.SubView(slot * (THead.Dim / 8));
            var values = arguments.Cache.Values.SubView(slot * (THead.Dim / 8));
            Step<THead, TSets>(keys, values, end - token, arguments.ScoreScale, q, sums, largest, total);
        }

        DecodeFinish.Write<THead, TSets>(arguments, row, keyHead, sums, largest, total);
    }

    /// <summary>Takes 32 tokens in, of which <paramref name="valid"/> (at least 1) count; the others read the last valid row.</summary>
    private static void Step<THead, TSets>(
        ArrayView<UInt4> keys,
        ArrayView<UInt4> values,
        int valid,
        float scoreScale,
        ArrayView<UInt4> q,
        ArrayView<Float4> sums,
        ArrayView<Float2> largest,
        ArrayView<Float2> total)
        where THead : struct, IHead
        where TSets : struct, IHeadSets
    {
        var lane = Warp.LaneIdx;
        var scores = LocalMemory.Allocate<Float4>(2 * TSets.Count);
        for (var half = 0; half < Unroll.Full(2); half++)
        {
            var upper = keys.SubView(Math.Min((half * 16) + (lane >> 2), valid - 1) * (THead.Dim / 8));
            var lower = keys.SubView(Math.Min((half * 16) + 8 + (lane >> 2), valid - 1) * (THead.Dim / 8));
            for (var set = 0; set < Unroll.Full(TSets.Count); set++)
                scores[(set * 2) + half] = default;
            for (var j = 0; j < Unroll.Full((THead.Dim + 31) / 32); j++)
            {
                var a = LoadPiece<THead>(upper, (lane & 3) + (4 * j));
                var b = LoadPiece<THead>(lower, (lane & 3) + (4 * j));
                for (var set = 0; set < Unroll.Full(TSets.Count); set++)
                {
                    var query = q[(set * ((THead.Dim + 31) / 32)) + j];
                    var score = Mma.BFloat16(new UInt4(a.X, b.X, a.Y, b.Y), new UInt2(query.X, query.Y), scores[(set * 2) + half]);
                    scores[(set * 2) + half] = Mma.BFloat16(new UInt4(a.Z, b.Z, a.W, b.W), new UInt2(query.Z, query.W), score);
                }
            }
        }

        var weights = LocalMemory.Allocate<UInt2>(2 * TSets.Count);
        for (var set = 0; set < Unroll.Full(TSets.Count); set++)
        {
            // Always, for a branch would part the loads of K from those of V.
            scores[2 * set] = Mask(scores[2 * set], (lane >> 2) < valid, (lane >> 2) + 8 < valid);
            scores[(2 * set) + 1] = Mask(scores[(2 * set) + 1], (lane >> 2) + 16 < valid, (lane >> 2) + 24 < valid);
            Exponentiate<THead>(set, scoreScale, scores, weights, sums, largest, total);
        }

        for (var half = 0; half < Unroll.Full(2); half++)
            AddValues<THead, TSets>(values, half * 16, valid - 1, half, weights, sums);
    }

    /// <summary>Turns the scores of 8 heads into weights, and what was summed before to the new largest score.</summary>
    private static void Exponentiate<THead>(
        int set,
        float scoreScale,
        ArrayView<Float4> scores,
        ArrayView<UInt2> weights,
        ArrayView<Float4> sums,
        ArrayView<Float2> largest,
        ArrayView<Float2> total)
        where THead : struct, IHead
    {
        var first = scores[2 * set];
        var second = scores[(2 * set) + 1];
        var even = MathF.Max(MathF.Max(first.X, first.Z), MathF.Max(second.X, second.Z));
        var odd = MathF.Max(MathF.Max(first.Y, first.W), MathF.Max(second.Y, second.W));
        for (var i = 0; i < Unroll.Full(3); i++)
        {
            even = MathF.Max(even, Warp.ShuffleXor(even, 4 << i));
            odd = MathF.Max(odd, Warp.ShuffleXor(odd, 4 << i));
        }

        even = MathF.Max(largest[set].X, even * scoreScale);
        odd = MathF.Max(largest[set].Y, odd * scoreScale);
        var scaleEven = FastMath.Ex2(largest[set].X - even);
        var scaleOdd = FastMath.Ex2(largest[set].Y - odd);
        largest[set] = new Float2(even, odd);

        first = Weights(first, scoreScale, even, odd);
        second = Weights(second, scoreScale, even, odd);
        total[set] = new Float2(
            FastMath.Fma(total[set].X, scaleEven, first.X + first.Z + (second.X + second.Z)),
            FastMath.Fma(total[set].Y, scaleOdd, first.Y + first.W + (second.Y + second.W)));
        weights[2 * set] = new UInt2(Transposed(first.X, first.Y), Transposed(first.Z, first.W));
        weights[(2 * set) + 1] = new UInt2(Transposed(second.X, second.Y), Transposed(second.Z, second.W));
        for (var i = 0; i < Unroll.Full((THead.Dim + 63) / 64 * 4); i++)
        {
            var at = (set * ((THead.Dim + 63) / 64) * 4) + i;
            var sum = sums[at];
            sums[at] = new Float4(sum.X * scaleEven, sum.Y * scaleOdd, sum.Z * scaleEven, sum.W * scaleOdd);
        }
    }

    /// <summary>Adds 16 rows of V, from row <paramref name="first"/> on, times their weights.</summary>
    private static void AddValues<THead, TSets>(
        ArrayView<UInt4> values, int first, int last, int half, ArrayView<UInt2> weights, ArrayView<Float4> sums)
        where THead : struct, IHead
        where TSets : struct, IHeadSets
    {
        var lane = Warp.LaneIdx;
        var token = first + (2 * (lane & 3));
        var row0 = values.SubView(Math.Min(token, last) * (THead.Dim / 8));
        var row1 = values.SubView(Math.Min(token + 1, last) * (THead.Dim / 8));
        var row8 = values.SubView(Math.Min(token + 8, last) * (THead.Dim / 8));
        var row9 = values.SubView(Math.Min(token + 9, last) * (THead.Dim / 8));
        for (var h = 0; h < Unroll.Full((THead.Dim + 63) / 64); h++)
        {
            var chunk = (lane >> 2) + (8 * h);
            var v0 = LoadPiece<THead>(row0, chunk);
            var v1 = LoadPiece<THead>(row1, chunk);
            var v8 = LoadPiece<THead>(row8, chunk);
            var v9 = LoadPiece<THead>(row9, chunk);
            for (var set = 0; set < Unroll.Full(TSets.Count); set++)
            {
                var at = ((set * ((THead.Dim + 63) / 64)) + h) * 4;
                var weight = weights[(2 * set) + half];
                sums[at] = Mma.BFloat16(Columns(v0.X, v1.X, v8.X, v9.X), weight, sums[at]);
                sums[at + 1] = Mma.BFloat16(Columns(v0.Y, v1.Y, v8.Y, v9.Y), weight, sums[at + 1]);
                sums[at + 2] = Mma.BFloat16(Columns(v0.Z, v1.Z, v8.Z, v9.Z), weight, sums[at + 2]);
                sums[at + 3] = Mma.BFloat16(Columns(v0.W, v1.W, v8.W, v9.W), weight, sums[at + 3]);
            }
        }
    }

    /// <summary>Two elements of four tokens as a left operand whose rows are the even elements above the odd ones.</summary>
    private static UInt4 Columns(uint v0, uint v1, uint v8, uint v9) =>
        new(Bytes.PackLow(v0, v1), Bytes.PackHigh(v0, v1), Bytes.PackLow(v8, v9), Bytes.PackHigh(v8, v9));

    /// <summary>Piece <paramref name="chunk"/> of a head; zero beyond its end, which only sizes that are no multiple of 64 have.</summary>
    private static UInt4 LoadPiece<THead>(ArrayView<UInt4> row, int chunk)
        where THead : struct, IHead
    {
        if (THead.Dim % 64 == 0)
            return Cached.LoadStreaming(ref row[chunk]);
        UInt4 piece = default;
        if (chunk < THead.Dim / 8)
            piece = Cached.LoadStreaming(ref row[chunk]);
        return piece;
    }

    private static Float4 Mask(Float4 scores, bool upper, bool lower) => new(
        upper ? scores.X : float.NegativeInfinity,
        upper ? scores.Y : float.NegativeInfinity,
        lower ? scores.Z : float.NegativeInfinity,
        lower ? scores.W : float.NegativeInfinity);

    private static Float4 Weights(Float4 scores, float scale, float even, float odd) => new(
        FastMath.Ex2(FastMath.Fma(scores.X, scale, -even)),
        FastMath.Ex2(FastMath.Fma(scores.Y, scale, -odd)),
        FastMath.Ex2(FastMath.Fma(scores.Z, scale, -even)),
        FastMath.Ex2(FastMath.Fma(scores.W, scale, -odd)));

    private static uint Transposed(float even, float odd) => MoveMatrix.Transpose(BFloat16x2.FromSingles(even, odd).Bits);
}
