using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Kivi;

/// <summary>The two products of a warp with a block of 32 tokens in shared memory: integers go to the tensor cores by a mask (see <see cref="KiviLayout"/>).</summary>
internal static class KiviFragments
{
    /// <summary>Starts to copy so many pieces to shared memory, 512 bytes at a time.</summary>
    /// <param name="source">The lane's first piece.</param>
    /// <param name="target">The warp's first piece.</param>
    /// <param name="units">How many pieces: a compile-time constant.</param>
    internal static void Fetch(ArrayView<UInt4> source, ArrayView<UInt4> target, int units)
    {
        for (var i = 0; i < Unroll.Full((units + 31) / 32); i++)
        {
            if ((32 * i) + 32 <= units || (32 * i) + Warp.LaneIdx < units)
                CpAsync.Copy16Streaming(ref target[(32 * i) + Warp.LaneIdx], ref source[32 * i]);
        }
    }

    /// <summary>
    /// Scores of 32 tokens for 8 heads, <c>sum_c q_c step_c n_c + sum_c q_c zero_c</c>: steps go into q, once for the block, and the zeros are one more row of keys.
    /// </summary>
    /// <param name="keys">The head's key codes, steps and zeros.</param>
    /// <param name="queries">8 channels per piece as halves <c>[d / 32]</c>: channels 32j + 8t of head g.</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <param name="scores">Tokens 0..15 and 16..31.</param>
    internal static void Scores<THead, TBits>(ArrayView<UInt4> keys, ArrayView<UInt4> queries, float scale, ArrayView<Float4> scores)
        where THead : struct, IHead
        where TBits : struct, IChunkWidth
    {
        var words = LocalMemory.Allocate<uint>(THead.Dim * TBits.Bits / 32);
        LoadWords<THead, TBits>(keys, words);
        var steps = keys.SubView(KiviLayout.CodeUnits(THead.Dim, TBits.Bits) + (Warp.LaneIdx & 3));
        Float4 even = default, odd = default, evenZero = default, oddZero = default;
        Float4 secondEven = default, secondOdd = default;
        for (var j = 0; j < Unroll.Full(THead.Dim / 32); j++)
        {
            var query = queries[j];
            var zero = steps[KiviLayout.ScaleUnits(THead.Dim) + (4 * j)];
            evenZero = Mma.Half(new UInt4(zero.X, zero.X, zero.Y, zero.Y), new UInt2(query.X, query.Y), evenZero);
            oddZero = Mma.Half(new UInt4(zero.Z, zero.Z, zero.W, zero.W), new UInt2(query.Z, query.W), oddZero);
            var step = steps[4 * j];
            var first = new UInt2(Times(query.X, step.X), Times(query.Y, step.Y));
            var second = new UInt2(Times(query.Z, step.Z), Times(query.W, step.W));
            var upper = KiviLayout.KeyPair(THead.Dim, 0, 4 * j);
            even = Mma.Half(Tokens<THead, TBits>(words, upper), first, even);
            odd = Mma.Half(Tokens<THead, TBits>(words, upper + 2), second, odd);
            var lower = KiviLayout.KeyPair(THead.Dim, 16, 4 * j);
            secondEven = Mma.Half(Tokens<THead, TBits>(words, lower), first, secondEven);
            secondOdd = Mma.Half(Tokens<THead, TBits>(words, lower + 2), second, secondOdd);
        }

        // All rows of the zeros' product are the same.
        var unit = scale * KiviLayout.CodeUnit;
        var x = (evenZero.X + oddZero.X) * scale;
        var y = (evenZero.Y + oddZero.Y) * scale;
        scores[0] = Affine(even, odd, unit, x, y);
        scores[1] = Affine(secondEven, secondOdd, unit, x, y);
    }

    /// <summary>Adds <c>sum_p w_p step_p n_p</c> in units of <c>2^-24</c>, and <c>sum_p w_p zero_p</c> apart, which has 32 channels in common.</summary>
    /// <param name="values">The head's value codes, steps and zeros.</param>
    /// <param name="weights">Weights as right operands, 8 tokens each.</param>
    /// <param name="sums">Fragments <c>[d / 16]</c>: rows are channels <c>32 (i / 2) + 4g + 2 (i % 2)</c> and the next.</param>
    /// <param name="zeros">Rows are runs of 32 channels.</param>
    internal static void AddValues<THead, TBits>(ArrayView<UInt4> values, UInt4 weights, ArrayView<Float4> sums, ref Float4 zeros)
        where THead : struct, IHead
        where TBits : struct, IChunkWidth
    {
        var words = LocalMemory.Allocate<uint>(THead.Dim * TBits.Bits / 32);
        LoadWords<THead, TBits>(values, words);
        var steps = values.SubView(KiviLayout.CodeUnits(THead.Dim, TBits.Bits) + (Warp.LaneIdx & 3));
        for (var run = 0; run < Unroll.Full(THead.Dim / 32); run++)
        {
            var step = steps[4 * run];
            var first = new UInt2(Times(weights.X, step.X), Times(weights.Y, step.Y));
            var second = new UInt2(Times(weights.Z, step.Z), Times(weights.W, step.W));
            for (var half = 0; half < Unroll.Full(2); half++)
            {
                var pair = KiviLayout.ValuePair(0, 4 * run) + (8 * half);
                sums[(2 * run) + half] = Mma.Half(Channels<TBits>(words, pair), first, sums[(2 * run) + half]);
                sums[(2 * run) + half] = Mma.Half(Channels<TBits>(words, pair + 2), second, sums[(2 * run) + half]);
            }
        }

        // Rows beyond the runs repeat them and are not read.
        var zero = steps[KiviLayout.ScaleUnits(THead.Dim) + (4 * ((Warp.LaneIdx >> 2) % (THead.Dim / 32)))];
        zeros = Mma.Half(new UInt4(zero.X, 0, zero.Y, 0), new UInt2(weights.X, weights.Y), zeros);
        zeros = Mma.Half(new UInt4(zero.Z, 0, zero.W, 0), new UInt2(weights.Z, weights.W), zeros);
    }

    /// <summary>Turns sums of coded tokens into sums of values.</summary>
    internal static void FinishValues<THead>(ArrayView<Float4> sums, Float4 zeros)
        where THead : struct, IHead
    {
        for (var run = 0; run < Unroll.Full(THead.Dim / 32); run++)
        {
            var x = Warp.Shuffle(zeros.X, (4 * run) + (Warp.LaneIdx & 3));
            var y = Warp.Shuffle(zeros.Y, (4 * run) + (Warp.LaneIdx & 3));
            sums[2 * run] = Affine(sums[2 * run], default, KiviLayout.CodeUnit, x, y);
            sums[(2 * run) + 1] = Affine(sums[(2 * run) + 1], default, KiviLayout.CodeUnit, x, y);
        }
    }

    private static void LoadWords<THead, TBits>(ArrayView<UInt4> codes, ArrayView<uint> words)
        where THead : struct, IHead
        where TBits : struct, IChunkWidth
    {
        for (var unit = 0; unit < Unroll.Full(THead.Dim * TBits.Bits / 128); unit++)
        {
            var piece = codes[(32 * unit) + Warp.LaneIdx];
            words[4 * unit] = piece.X;
            words[(4 * unit) + 1] = piece.Y;
            words[(4 * unit) + 2] = piece.Z;
            words[(4 * unit) + 3] = piece.W;
        }
    }

    /// <summary>Four channels of two tokens, eight apart, from a pair of the first on.</summary>
    private static UInt4 Tokens<THead, TBits>(ArrayView<uint> words, int pair)
        where THead : struct, IHead
        where TBits : struct, IChunkWidth
    {
        var second = pair + KiviLayout.KeyPair(THead.Dim, 8, 0);
        return new(Pair<TBits>(words, pair), Pair<TBits>(words, second), Pair<TBits>(words, pair + 1), Pair<TBits>(words, second + 1));
    }

    /// <summary>Two channels of four tokens.</summary>
    private static UInt4 Channels<TBits>(ArrayView<uint> words, int pair)
        where TBits : struct, IChunkWidth =>
        new(Pair<TBits>(words, pair), Pair<TBits>(words, pair + 4), Pair<TBits>(words, pair + 1), Pair<TBits>(words, pair + 5));

    /// <summary>Two integers as halves of <c>2^(offset - 24)</c> each.</summary>
    private static uint Pair<TBits>(ArrayView<uint> words, int pair)
        where TBits : struct, IChunkWidth
    {
        var offset = KiviLayout.Offset(TBits.Bits, pair);
        return (words[KiviLayout.WordOfPair(TBits.Bits, pair)] >> (KiviLayout.BitOfPair(TBits.Bits, pair) - offset)) & ((0x00010001u * ((1u << TBits.Bits) - 1)) << offset);
    }

    private static uint Times(uint pair, uint factors) => Half2.FusedMultiplyAdd(new Half2(pair), new Half2(factors), new Half2(0)).Bits;

    private static Float4 Affine(Float4 a, Float4 b, float factor, float x, float y) => new(
        FastMath.Fma(a.X + b.X, factor, x),
        FastMath.Fma(a.Y + b.Y, factor, y),
        FastMath.Fma(a.Z + b.Z, factor, x),
        FastMath.Fma(a.W + b.W, factor, y));
}
