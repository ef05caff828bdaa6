using DeltaKV.Cache.Reading;
using DeltaKV.Gpu;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>Scores of a warp's 32 tokens: reconstructs their keys in registers.</summary>
internal static class LatentKeys
{
    private const uint Signs = 0x80008000;
    private const uint MinusZero = 0x80008000;

    /// <summary>Column pairs of a pass, <see cref="IHeadShape.PairsPerPass"/> of all shapes that this path is for.</summary>
    private const int Pairs = 4;

    /// <summary>Fills the tables that depend on the head but on no step.</summary>
    internal static void Prepare<TShape>(in LatentArguments arguments, int head, LatentShared tables)
        where TShape : struct, IHeadShape
    {
        var frequencies = arguments.Pool.InverseFrequencies;
        for (var i = Group.IdxX; i < TShape.HeadDim / 2; i += Group.DimX)
            tables.Frequencies[i] = frequencies[i];
        var mean = arguments.Pool.Mean.SubView(((arguments.Layer * 2L * arguments.KeyHeads) + head) * (TShape.HeadDim / 2));
        for (var i = Group.IdxX; i < TShape.HeadDim / 8; i += Group.DimX)
        {
            var first = (((i >> 2) & 1) * (TShape.HeadDim / 4)) + ((i >> 3) * 16) + ((i & 3) * 4);
            tables.Mean[i] = new UInt4(
                Half2.FromSingles(mean[first].X, mean[first].Y).Bits, Half2.FromSingles(mean[first + 1].X, mean[first + 1].Y).Bits,
                Half2.FromSingles(mean[first + 2].X, mean[first + 2].Y).Bits, Half2.FromSingles(mean[first + 3].X, mean[first + 3].Y).Bits);
        }

        // Thread by thread a distance and eight neighbouring angles.
        for (var i = Group.IdxX; i < LatentDecodeKernel.WarpTokens * TShape.HeadDim / 16; i += Group.DimX)
        {
            var distance = i / (TShape.HeadDim / 16);
            var eight = i % (TShape.HeadDim / 16);
            var cosines = LocalMemory.Allocate<uint>(Pairs);
            var sines = LocalMemory.Allocate<uint>(Pairs);
            for (var j = 0; j < Unroll.Full(Pairs); j++)
            {
                var even = RopeRotation.Of(distance * frequencies[(8 * eight) + (2 * j)], arguments.Pool.RopeScale);
                var odd = RopeRotation.Of(distance * frequencies[(8 * eight) + (2 * j) + 1], arguments.Pool.RopeScale);
                cosines[j] = Half2.FromSingles(even.X, odd.X).Bits;
                sines[j] = Half2.FromSingles(even.Y, odd.Y).Bits;
            }

            var at = (distance * LatentShared.RopeStride<TShape>()) + ((eight >> 2) * 8) + (eight & 3);
            tables.Rope[at] = new UInt4(cosines[0], cosines[1], cosines[2], cosines[3]);
            tables.Rope[at + 4] = new UInt4(sines[0], sines[1], sines[2], sines[3]);
        }
    }

    /// <summary>The first warp puts the queries where all find them.</summary>
    internal static void LoadQueries<TShape>(in LatentArguments arguments, int row, int firstQuery, int queryCount, LatentShared tables)
        where TShape : struct, IHeadShape
    {
        if (Group.IdxX >= 32)
            return;
        var query = firstQuery + Math.Min(Warp.LaneIdx >> 2, queryCount - 1);
        var stride = (arguments.QueryHeads + (2 * arguments.KeyHeads)) * (TShape.HeadDim / 8);
        var source = arguments.Qkv.SubView(((long)row * stride) + (query * (TShape.HeadDim / 8)) + (Warp.LaneIdx & 3));
        for (var pass = 0; pass < Unroll.Full(TShape.HeadDim / 64); pass++)
        {
            tables.Queries[(pass * 64) + Warp.LaneIdx] = source[4 * pass];
            tables.Queries[(pass * 64) + 32 + Warp.LaneIdx] = source[(4 * pass) + (TShape.HeadDim / 16)];
        }
    }

    /// <summary>Scores, unscaled, of tokens <paramref name="first"/> to first + 31: two fragments, tokens by heads; -infinity past the end.</summary>
    internal static void Score<TShape, TScales>(
        in LatentArguments arguments, LatentPlan plan, TokenRun tokens, int first, LatentShared tables, int firstWord, ArrayView<Float4> scores)
        where TShape : struct, IHeadShape
        where TScales : struct, LatentDecodeKernel.IScales
    {
        var warp = Group.IdxX >> 5;
        var turns = tables.Turns.SubView(warp * (TShape.HeadDim / 2), TShape.HeadDim / 2);
        var isContiguous = tokens.IsContiguous;
        var position = isContiguous ? 0 : Math.Max(tokens.PositionAt(first + Warp.LaneIdx), 0);
        for (var i = 0; i < Unroll.Full(TShape.HeadDim / 64); i++)
        {
            var element = (32 * i) + Warp.LaneIdx;
            turns[element] = isContiguous ? RopeRotation.Of((tokens.Start + first) * tables.Frequencies[element], 1f) : new Float2(1f, 0f);
        }

        Warp.Barrier();
        var codes = tables.Codes.SubView(firstWord + (((warp * LatentDecodeKernel.WarpTokens) + (Warp.LaneIdx >> 2)) * arguments.TokenPieces * 4));
        var keys = LocalMemory.Allocate<Float4>(4 * Pairs);
        var queries = LocalMemory.Allocate<UInt2>(Pairs);
        scores[0] = default;
        scores[1] = default;
        for (var pass = 0; pass < TShape.HeadDim / 64; pass++)
        {
            for (var i = 0; i < Unroll.Full(4 * Pairs); i++)
                keys[i] = default;
            Multiply<TScales>(plan, tables, tables.Up.SubView((pass * plan.KeySteps * Pairs * 32) + Warp.LaneIdx), codes, arguments.TokenPieces * 4, keys);
            TurnQueries<TShape>(tables, turns, pass, queries);
            for (var half = 0; half < Unroll.Full(2); half++)
                scores[half] = AddScores<TShape>(arguments, tables, isContiguous, position, pass, half, keys, queries, scores[half]);
        }

        var left = tokens.Count - first - (Warp.LaneIdx >> 2);
        scores[0] = Masked(scores[0], left);
        scores[1] = Masked(scores[1], left - 16);
    }

    /// <summary>Adds codes times up: 32 tokens by 64 columns. The words of the next step are on their way while this one's are multiplied.</summary>
    private static void Multiply<TScales>(
        LatentPlan plan, LatentShared tables, ArrayView<UInt4> up, ArrayView<uint> codes, int stride, ArrayView<Float4> keys)
        where TScales : struct, LatentDecodeKernel.IScales
    {
        var lane = Warp.LaneIdx & 3;
        for (var step = 0; step < plan.WideKeySteps; step++)
        {
            var word = (int)tables.Steps[step].X + lane;
            Add(
                up,
                step,
                new UInt4(codes[word], codes[word + (8 * stride)], codes[word + 4], codes[word + 4 + (8 * stride)]),
                new UInt4(codes[word + (16 * stride)], codes[word + (24 * stride)], codes[word + 4 + (16 * stride)], codes[word + 4 + (24 * stride)]),
                keys);
        }

        if (plan.WideKeySteps >= plan.KeySteps)
            return;
        var last = plan.KeySteps - 1;
        var next = tables.Steps[plan.WideKeySteps];
        var words = Words(codes, (int)next.X + lane, stride);
        var afterNext = tables.Steps[Math.Min(plan.WideKeySteps + 1, last)];
        for (var step = plan.WideKeySteps; step < plan.KeySteps; step++)
        {
            var own = words;
            var how = next;
            next = afterNext;
            words = Words(codes, (int)next.X + lane, stride);
            afterNext = tables.Steps[Math.Min(step + 2, last)];
            var scales = new UInt4(how.Z, how.Z, how.Z, how.Z);
            if (!TScales.AreFolded && plan.HasScales != 0)
                scales = Words(codes, (int)how.Z, stride);
            Add(
                up,
                step,
                new UInt4(
                    Value<TScales>(own.X, how.W, how.Y, scales.X), Value<TScales>(own.Y, how.W, how.Y, scales.Y),
                    Value<TScales>(own.X, how.W >> 8, how.Y, scales.X), Value<TScales>(own.Y, how.W >> 8, how.Y, scales.Y)),
                new UInt4(
                    Value<TScales>(own.Z, how.W, how.Y, scales.Z), Value<TScales>(own.W, how.W, how.Y, scales.W),
                    Value<TScales>(own.Z, how.W >> 8, how.Y, scales.Z), Value<TScales>(own.W, how.W >> 8, how.Y, scales.W)),
                keys);
        }
    }

    /// <summary>A word of tokens g, g + 8, g + 16 and g + 24.</summary>
    private static UInt4 Words(ArrayView<uint> codes, int word, int stride) =>
        new(codes[word], codes[word + (8 * stride)], codes[word + (16 * stride)], codes[word + (24 * stride)]);

    /// <summary>Two dimensions of a word.</summary>
    internal static uint Value<TScales>(uint word, uint shift, uint mask, uint scale)
        where TScales : struct, LatentDecodeKernel.IScales =>
        TScales.AreFolded ? CodeWord.Offset(word >> (int)(shift & 31), mask, scale) : CodeWord.Masked(word >> (int)(shift & 31), mask, scale);

    private static void Add(ArrayView<UInt4> up, int step, UInt4 first, UInt4 second, ArrayView<Float4> keys)
    {
        for (var j = 0; j < Unroll.Full(Pairs); j++)
        {
            var b = up[32 * ((Pairs * step) + j)];
            keys[2 * j] = Mma.Half(first, new UInt2(b.X, b.Y), keys[2 * j]);
            keys[(2 * j) + 1] = Mma.Half(first, new UInt2(b.Z, b.W), keys[(2 * j) + 1]);
            keys[(2 * Pairs) + (2 * j)] = Mma.Half(second, new UInt2(b.X, b.Y), keys[(2 * Pairs) + (2 * j)]);
            keys[(2 * Pairs) + (2 * j) + 1] = Mma.Half(second, new UInt2(b.Z, b.W), keys[(2 * Pairs) + (2 * j) + 1]);
        }
    }

    /// <summary>The queries of a pass as right operands, turned back by the position of the warp's first token.</summary>
    private static void TurnQueries<TShape>(LatentShared tables, ArrayView<Float2> turns, int pass, ArrayView<UInt2> queries)
        where TShape : struct, IHeadShape
    {
        var low = tables.Queries[(pass * 64) + Warp.LaneIdx];
        var high = tables.Queries[(pass * 64) + 32 + Warp.LaneIdx];
        var pairs = turns.Cast<Float4>().SubView((pass * 16) + ((Warp.LaneIdx & 3) * 4));
        queries[0] = Turned(low.X, high.X, pairs[0]);
        queries[1] = Turned(low.Y, high.Y, pairs[1]);
        queries[2] = Turned(low.Z, high.Z, pairs[2]);
        queries[3] = Turned(low.W, high.W, pairs[3]);
    }

    /// <summary>Two elements and their partners by minus the angles whose (cos, sin, cos, sin) are given.</summary>
    private static UInt2 Turned(uint low, uint high, Float4 turn)
    {
        var x = new BFloat16x2(low);
        var y = new BFloat16x2(high);
        return new UInt2(
            Half2.FromSingles((x.Low * turn.X) + (y.Low * turn.Y), (x.High * turn.Z) + (y.High * turn.W)).Bits,
            Half2.FromSingles((y.Low * turn.X) - (x.Low * turn.Y), (y.High * turn.Z) - (x.High * turn.W)).Bits);
    }

    /// <summary>Turns 16 tokens' keys of a pass to their places and adds their products with the queries.</summary>
    private static Float4 AddScores<TShape>(
        in LatentArguments arguments,
        LatentShared tables,
        bool isContiguous,
        int position,
        int pass,
        int half,
        ArrayView<Float4> keys,
        ArrayView<UInt2> queries,
        Float4 score)
        where TShape : struct, IHeadShape
    {
        var cosines = LocalMemory.Allocate<uint>(2 * Pairs);
        var sines = LocalMemory.Allocate<uint>(2 * Pairs);
        for (var i = 0; i < Unroll.Full(2); i++)
        {
            var distance = (16 * half) + (8 * i) + (Warp.LaneIdx >> 2);
            if (isContiguous)
            {
                var at = (distance * LatentShared.RopeStride<TShape>()) + (pass * 8) + (Warp.LaneIdx & 3);
                var c = tables.Rope[at];
                var s = tables.Rope[at + 4];
                (cosines[4 * i], cosines[(4 * i) + 1], cosines[(4 * i) + 2], cosines[(4 * i) + 3]) = (c.X, c.Y, c.Z, c.W);
                (sines[4 * i], sines[(4 * i) + 1], sines[(4 * i) + 2], sines[(4 * i) + 3]) = (s.X, s.Y, s.Z, s.W);
            }
            else
            {
                var own = Warp.Shuffle(position, distance);
                for (var j = 0; j < Unroll.Full(Pairs); j++)
                {
                    var element = (pass * 32) + ((Warp.LaneIdx & 3) * 8) + (2 * j);
                    var even = RopeRotation.Of(own * tables.Frequencies[element], arguments.Pool.RopeScale);
                    var odd = RopeRotation.Of(own * tables.Frequencies[element + 1], arguments.Pool.RopeScale);
                    cosines[(4 * i) + j] = Half2.FromSingles(even.X, odd.X).Bits;
                    sines[(4 * i) + j] = Half2.FromSingles(even.Y, odd.Y).Bits;
                }
            }
        }

        var meanLow = tables.Mean[(pass * 8) + (Warp.LaneIdx & 3)];
        var meanHigh = tables.Mean[(pass * 8) + 4 + (Warp.LaneIdx & 3)];
        var means = LocalMemory.Allocate<uint>(2 * Pairs);
        (means[0], means[1], means[2], means[3]) = (meanLow.X, meanLow.Y, meanLow.Z, meanLow.W);
        (means[4], means[5], means[6], means[7]) = (meanHigh.X, meanHigh.Y, meanHigh.Z, meanHigh.W);
        for (var j = 0; j < Unroll.Full(Pairs); j++)
        {
            var low = keys[(2 * Pairs * half) + (2 * j)];
            var high = keys[(2 * Pairs * half) + (2 * j) + 1];
            var upper = Rotated(low.X, low.Y, high.X, high.Y, means[j], means[4 + j], cosines[j], sines[j]);
            var lower = Rotated(low.Z, low.W, high.Z, high.W, means[j], means[4 + j], cosines[4 + j], sines[4 + j]);
            score = Mma.Half(new UInt4(upper.X, lower.X, upper.Y, lower.Y), queries[j], score);
        }

        return score;
    }

    private static UInt2 Rotated(float x0, float x1, float y0, float y1, uint meanX, uint meanY, uint cosine, uint sine)
    {
        var x = Half2.FromSingles(x0, x1) + new Half2(meanX);
        var y = Half2.FromSingles(y0, y1) + new Half2(meanY);
        var zero = new Half2(MinusZero);
        var c = new Half2(cosine);
        var s = new Half2(sine);
        return new UInt2(
            Half2.FusedMultiplyAdd(new Half2(y.Bits ^ Signs), s, Half2.FusedMultiplyAdd(x, c, zero)).Bits,
            Half2.FusedMultiplyAdd(x, s, Half2.FusedMultiplyAdd(y, c, zero)).Bits);
    }

    private static Float4 Masked(Float4 score, int left) => new(
        left > 0 ? score.X : float.NegativeInfinity,
        left > 0 ? score.Y : float.NegativeInfinity,
        left > 8 ? score.Z : float.NegativeInfinity,
        left > 8 ? score.W : float.NegativeInfinity);
}
