using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>Scores of a warp's 32 tokens: reconstructs their keys in registers.</summary>
internal static class LatentKeys
{
    /// <summary>Words from piece to piece of a warp's tile.</summary>
    private const int PieceWords = LatentDecodeKernel.WarpTokens * 4;

    /// <summary>Column pairs of a pass, <see cref="CodeFragments.PairsPerPass"/> of the heads that this path is for.</summary>
    private const int Pairs = 4;

    /// <summary>Fills the tables that depend on the head but on no step.</summary>
    internal static void Prepare<THead>(in LatentArguments arguments, int head, LatentShared tables)
        where THead : struct, IHead
    {
        var frequencies = arguments.Pool.InverseFrequencies;
        for (var i = Group.IdxX; i < THead.Dim / 2; i += Group.DimX)
            tables.Frequencies[i] = frequencies[i];
        var mean = arguments.Pool.Mean.SubView(((arguments.Layer * 2L * arguments.KeyHeads) + head) * (THead.Dim / 2));
        for (var i = Group.IdxX; i < THead.Dim / 8; i += Group.DimX)
        {
            var first = (((i >> 2) & 1) * (THead.Dim / 4)) + ((i >> 3) * 16) + ((i & 3) * 4);
            tables.Mean[i] = new UInt4(
                Half2.FromSingles(mean[first].X, mean[first].Y).Bits, Half2.FromSingles(mean[first + 1].X, mean[first + 1].Y).Bits,
                Half2.FromSingles(mean[first + 2].X, mean[first + 2].Y).Bits, Half2.FromSingles(mean[first + 3].X, mean[first + 3].Y).Bits);
        }

        KeyTurns.Prepare<THead>(arguments.Pool, LatentDecodeKernel.WarpTokens, tables.Rope);
    }

    /// <summary>Scores, unscaled, of tokens <paramref name="first"/> to first + 31: two fragments, tokens by heads; -infinity past the end.</summary>
    internal static void Score<THead, TSteps, TScales, TReferences>(
        in LatentArguments arguments, LatentPlan plan, TokenRun tokens, int first, LatentShared tables, int firstWord, ArrayView<Float4> scores)
        where THead : struct, IHead
        where TSteps : struct, LatentDecodeKernel.IValueSteps
        where TScales : struct, LatentDecodeKernel.IScales
        where TReferences : struct, LatentDecodeKernel.IReferences
    {
        var warp = Group.IdxX >> 5;
        var turns = tables.Turns.SubView(warp * (THead.Dim / 2), THead.Dim / 2);
        var isContiguous = tokens.IsContiguous && arguments.Pool.Positions.Length == 0;
        var position = isContiguous ? 0 : Math.Max(arguments.Pool.PositionOf(tokens.Sequence, tokens.SlotAt(first + Warp.LaneIdx)), 0);
        if (isContiguous)
            KeyTurns.TurnTo<THead>(tables.Frequencies, tokens.Start + first, turns);
        Warp.Barrier();
        var codes = tables.Codes.SubView(
            firstWord + (warp * LatentDecodeKernel.WarpTokens * 4 * arguments.TokenPieces) + (4 * (Warp.LaneIdx >> 2)),
            LatentDecodeKernel.WarpTokens * 4 * plan.Pieces);
        // [pass of the sweep][16 tokens][pair][lower, upper]
        var keys = LocalMemory.Allocate<Float4>(4 * Pairs * Sweep<THead, TSteps>());
        var queries = LocalMemory.Allocate<UInt2>(Pairs);
        scores[0] = default;
        scores[1] = default;
        for (var pass = 0; pass < THead.Dim / 64; pass += Sweep<THead, TSteps>())
        {
            for (var i = 0; i < Unroll.Full(4 * Pairs * Sweep<THead, TSteps>()); i++)
                keys[i] = default;
            Multiply<THead, TSteps, TScales>(plan, tables.Up.SubView((long)((pass * plan.KeySteps * Pairs * 32) + Warp.LaneIdx)), codes, keys);
            for (var i = 0; i < Unroll.Full(Sweep<THead, TSteps>()); i++)
            {
                KeyTurns.TurnQueries(tables.Queries, turns.Cast<UInt4>(), isContiguous, pass + i, queries);
                for (var half = 0; half < Unroll.Full(2); half++)
                    scores[half] = AddScores<THead, TReferences>(arguments, tables, isContiguous, position, pass + i, (2 * i) + half, keys, queries, scores[half]);
            }
        }

        var left = tokens.Count - first - (Warp.LaneIdx >> 2);
        scores[0] = Masked(scores[0], left);
        scores[1] = Masked(scores[1], left - 16);
    }

    /// <summary>Passes that are reconstructed at once.</summary>
    private static int Sweep<THead, TSteps>()
        where THead : struct, IHead
        where TSteps : struct, LatentDecodeKernel.IValueSteps => Math.Min(TSteps.Sweep, THead.Dim / 64);

    /// <summary>Adds codes times up: 32 tokens by 64 columns per pass, chunk after chunk.</summary>
    private static void Multiply<THead, TSteps, TScales>(LatentPlan plan, ArrayView<UInt4> up, ArrayView<uint> codes, ArrayView<Float4> keys)
        where THead : struct, IHead
        where TSteps : struct, LatentDecodeKernel.IValueSteps
        where TScales : struct, LatentDecodeKernel.IScales
    {
        var passStride = plan.KeySteps * Pairs * 32;
        var step = 0;
        var words = codes.SubView(Warp.LaneIdx & 3);
        var word = 0;
        for (var pair = 0; pair < plan.WidePairs; pair++, step++, word += 2 * PieceWords)
        {
            var low = Words(words, word);
            var high = Words(words, word + PieceWords);
            Add<THead, TSteps>(up, step, passStride, new UInt4(low.X, low.Y, high.X, high.Y), new UInt4(low.Z, low.W, high.Z, high.W), keys);
        }

        var scaleWord = plan.KeyScale;
        for (var chunk = 0; chunk < plan.ByteChunks; chunk++, step++, word += PieceWords, scaleWord += plan.ScaleStride)
        {
            var own = Words(words, word);
            var scales = Scales<TScales>(plan, codes, scaleWord, 128f);
            Add<THead, TSteps, TScales>(up, step, passStride, own, Shifted(own, 8), 0x00ff00ff, 128f, scales, keys);
        }

        for (var chunk = 0; chunk < plan.NibbleChunks; chunk++, step += 2, word += PieceWords, scaleWord += plan.ScaleStride)
        {
            var own = Words(words, word);
            var scales = Scales<TScales>(plan, codes, scaleWord, 8f);
            AddNibbles<THead, TSteps, TScales>(up, step, passStride, own, scales, keys);
            AddNibbles<THead, TSteps, TScales>(up, step + 1, passStride, Shifted(own, 8), scales, keys);
        }

        var tailWord = plan.KeyTail;
        for (var chunk = 0; chunk < plan.OctalChunks; chunk++, word += PieceWords, scaleWord += plan.ScaleStride, tailWord += 2)
        {
            var own = Words(words, word);
            var tail = Words(codes, ((tailWord >> 2) * PieceWords) + (tailWord & 3) + ((Warp.LaneIdx & 3) >> 1));
            var scales = Scales<TScales>(plan, codes, scaleWord, 4f);
            for (var half = 0; half < 2; half++, step += 2)
            {
                Add<THead, TSteps, TScales>(up, step, passStride, own, Shifted(own, 3), 0x00070007, 4f, scales, keys);
                Add<THead, TSteps, TScales>(up, step + 1, passStride, Shifted(own, 6), Shifted(own, 9), 0x00070007, 4f, scales, keys);
                own = CodeWord.UpperOctals(own, tail, Warp.LaneIdx);
            }
        }

        // Crumbs are never folded.
        for (var chunk = 0; !TScales.AreFolded && chunk < plan.CrumbChunks; chunk++, word += PieceWords, scaleWord += plan.ScaleStride)
        {
            var own = Words(words, word);
            var scales = Scales<TScales>(plan, codes, scaleWord, 1.5f);
            for (var i = 0; i < 4; i++, step++)
            {
                Add<THead, TSteps, TScales>(up, step, passStride, own, Shifted(own, 2), 0x00030003, 1.5f, scales, keys);
                own = Shifted(own, 4);
            }
        }
    }

    /// <summary>A word of tokens g, g + 8, g + 16 and g + 24.</summary>
    private static UInt4 Words(ArrayView<uint> codes, int word) => new(codes[word], codes[word + 32], codes[word + 64], codes[word + 96]);

    private static UInt4 Shifted(UInt4 words, int shift) => new(words.X >> shift, words.Y >> shift, words.Z >> shift, words.W >> shift);

    /// <summary>The scales of a chunk of tokens g, g + 8, g + 16 and g + 24, unless they are folded.</summary>
    private static UInt4 Scales<TScales>(LatentPlan plan, ArrayView<uint> codes, int word, float offset)
        where TScales : struct, LatentDecodeKernel.IScales
    {
        var one = Half2.FromSingles(1f, -offset).Bits;
        return !TScales.AreFolded && plan.KeyScale >= 0 ? Words(codes, ((word >> 2) * PieceWords) + (word & 3)) : new UInt4(one, one, one, one);
    }

    /// <summary>Adds a step whose first pairs are under a mask of the one words, and whose second ones of the others.</summary>
    private static void Add<THead, TSteps, TScales>(
        ArrayView<UInt4> up, int step, int passStride, UInt4 first, UInt4 second, uint mask, float offset, UInt4 scales, ArrayView<Float4> keys)
        where THead : struct, IHead
        where TSteps : struct, LatentDecodeKernel.IValueSteps
        where TScales : struct, LatentDecodeKernel.IScales =>
        Add<THead, TSteps>(
            up,
            step,
            passStride,
            new UInt4(
                Value<TScales>(first.X, mask, offset, scales.X), Value<TScales>(first.Y, mask, offset, scales.Y),
                Value<TScales>(second.X, mask, offset, scales.X), Value<TScales>(second.Y, mask, offset, scales.Y)),
            new UInt4(
                Value<TScales>(first.Z, mask, offset, scales.Z), Value<TScales>(first.W, mask, offset, scales.W),
                Value<TScales>(second.Z, mask, offset, scales.Z), Value<TScales>(second.W, mask, offset, scales.W)),
            keys);

    private static uint Value<TScales>(uint word, uint mask, float offset, uint scale)
        where TScales : struct, LatentDecodeKernel.IScales => TScales.AreFolded
            ? CodeWord.Offset(word, mask, Half2.FromSingles(-1024f - offset, -1024f - offset).Bits)
            : CodeWord.Masked(word, mask, scale);

    /// <summary>Adds a step of the lower nibbles of all bytes 0 and 2; folded ones are taken where they are, times 16.</summary>
    private static void AddNibbles<THead, TSteps, TScales>(
        ArrayView<UInt4> up, int step, int passStride, UInt4 words, UInt4 scales, ArrayView<Float4> keys)
        where THead : struct, IHead
        where TSteps : struct, LatentDecodeKernel.IValueSteps
        where TScales : struct, LatentDecodeKernel.IScales
    {
        if (!TScales.AreFolded)
        {
            Add<THead, TSteps, TScales>(up, step, passStride, words, Shifted(words, 4), 0x000f000f, 8f, scales, keys);
            return;
        }

        Add<THead, TSteps>(
            up,
            step,
            passStride,
            new UInt4(LowNibbles(words.X), LowNibbles(words.Y), HighNibbles(words.X), HighNibbles(words.Y)),
            new UInt4(LowNibbles(words.Z), LowNibbles(words.W), HighNibbles(words.Z), HighNibbles(words.W)),
            keys);
    }

    private static uint LowNibbles(uint word) => CodeWord.Offset(word, 0x000f000f, 0xe408e408);

    /// <summary>1024 + 16 n, over 16, less 72.</summary>
    private static uint HighNibbles(uint word) =>
        Half2.FusedMultiplyAdd(new Half2((word & 0x00f000f0) | 0x64006400), new Half2(0x2c002c00), new Half2(0xd480d480)).Bits;

    private static void Add<THead, TSteps>(ArrayView<UInt4> up, int step, int passStride, UInt4 first, UInt4 second, ArrayView<Float4> keys)
        where THead : struct, IHead
        where TSteps : struct, LatentDecodeKernel.IValueSteps
    {
        for (var i = 0; i < Unroll.Full(Pairs * Sweep<THead, TSteps>()); i++)
        {
            var b = up[(i / Pairs * passStride) + (32 * ((Pairs * step) + (i % Pairs)))];
            var at = (i / Pairs * 4 * Pairs) + (2 * (i % Pairs));
            keys[at] = Mma.Half(first, new UInt2(b.X, b.Y), keys[at]);
            keys[at + 1] = Mma.Half(first, new UInt2(b.Z, b.W), keys[at + 1]);
            keys[(2 * Pairs) + at] = Mma.Half(second, new UInt2(b.X, b.Y), keys[(2 * Pairs) + at]);
            keys[(2 * Pairs) + at + 1] = Mma.Half(second, new UInt2(b.Z, b.W), keys[(2 * Pairs) + at + 1]);
        }
    }

    /// <summary>Turns 16 tokens' keys of a pass to their places and adds their products with the queries.</summary>
    private static Float4 AddScores<THead, TReferences>(
        in LatentArguments arguments,
        LatentShared tables,
        bool isContiguous,
        int position,
        int pass,
        int fragment,
        ArrayView<Float4> keys,
        ArrayView<UInt2> queries,
        Float4 score)
        where THead : struct, IHead
        where TReferences : struct, LatentDecodeKernel.IReferences
    {
        var half = fragment & 1;
        var cosines = LocalMemory.Allocate<uint>(2 * Pairs);
        var sines = LocalMemory.Allocate<uint>(2 * Pairs);
        for (var i = 0; i < Unroll.Full(2); i++)
        {
            var distance = (16 * half) + (8 * i) + (Warp.LaneIdx >> 2);
            if (isContiguous)
            {
                var at = (distance * KeyTurns.Stride<THead>()) + (pass * 8) + (Warp.LaneIdx & 3);
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
        // What is added to the products of tokens g (first eight: four pairs of the lower half of the head, four of the upper) and g + 8.
        var added = LocalMemory.Allocate<uint>(4 * Pairs);
        for (var i = 0; i < Unroll.Full(2); i++)
        {
            (added[8 * i], added[(8 * i) + 1], added[(8 * i) + 2], added[(8 * i) + 3]) = (meanLow.X, meanLow.Y, meanLow.Z, meanLow.W);
            (added[(8 * i) + 4], added[(8 * i) + 5], added[(8 * i) + 6], added[(8 * i) + 7]) = (meanHigh.X, meanHigh.Y, meanHigh.Z, meanHigh.W);
        }

        if (TReferences.Bits > 0)
        {
            var token = (Group.IdxX & ~31) + (16 * half) + (Warp.LaneIdx >> 2);
            var element = (pass * 32) + ((Warp.LaneIdx & 3) * 8);
            var head = Grid.IdxY % arguments.KeyHeads;
            var count = arguments.Pool.LayerCodes[arguments.Layer].Neighbours;
            LatentReferences.Add<THead, TReferences>(arguments.Pool, count, head, element, tables.References, token, 0, added);
            LatentReferences.Add<THead, TReferences>(arguments.Pool, count, head, element, tables.References, token + 8, 8, added);
        }

        for (var j = 0; j < Unroll.Full(Pairs); j++)
        {
            var low = keys[(2 * Pairs * fragment) + (2 * j)];
            var high = keys[(2 * Pairs * fragment) + (2 * j) + 1];
            var upper = Rotated(low.X, low.Y, high.X, high.Y, added[j], added[4 + j], cosines[j], sines[j]);
            var lower = Rotated(low.Z, low.W, high.Z, high.W, added[8 + j], added[12 + j], cosines[4 + j], sines[4 + j]);
            score = Mma.Half(new UInt4(upper.X, lower.X, upper.Y, lower.Y), queries[j], score);
        }

        return score;
    }

    private static UInt2 Rotated(float x0, float x1, float y0, float y1, uint addedX, uint addedY, uint cosine, uint sine)
    {
        var x = Half2.FromSingles(x0, x1) + new Half2(addedX);
        var y = Half2.FromSingles(y0, y1) + new Half2(addedY);
        return KeyTurns.Rotated(x, y, new Half2(cosine), new Half2(sine));
    }

    private static Float4 Masked(Float4 score, int left) => new(
        left > 0 ? score.X : float.NegativeInfinity,
        left > 0 ? score.Y : float.NegativeInfinity,
        left > 8 ? score.Z : float.NegativeInfinity,
        left > 8 ? score.W : float.NegativeInfinity);
}
