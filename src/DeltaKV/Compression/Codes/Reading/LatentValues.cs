using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Compression.Codes.Reading;

/// <summary>Sums of weighted codes: values in latent space.</summary>
internal static class LatentValues
{
    /// <summary>
    /// Adds sixteen dimensions of a tile's tokens times their weights: rows are dimensions 2 (g mod 4) + 8 (g / 4) of lane group g, and behind them the next ones; columns
    /// are heads. A lane reads a word of four tokens and takes of it the pair of dimensions that is its group's.
    /// </summary>
    /// <param name="step">Where the dimensions are.</param>
    /// <param name="hasScales">Whether the step says where scales are; else it says the scale.</param>
    /// <param name="count">Tokens of the tile.</param>
    /// <param name="share">Which 32 tokens begin.</param>
    /// <param name="shares">How many warps share the tokens.</param>
    /// <param name="codes">The tile.</param>
    /// <param name="stride">Words from 32 tokens to 32 tokens.</param>
    /// <param name="weights">The tile's weights.</param>
    /// <param name="sum">What was added before.</param>
    internal static Float4 Add<TScales>(
        UInt4 step, bool hasScales, int count, int share, int shares, ArrayView<uint> codes, int stride, ArrayView<uint> weights, Float4 sum)
        where TScales : struct, LatentDecodeKernel.IScales
    {
        var lane = Warp.LaneIdx & 3;
        var group = Warp.LaneIdx >> 2;
        var word = (int)step.X + (8 * lane) + (group & 3);
        // The second pair of halves is in the piece behind.
        word += step.Y == 0 && group >= 4 ? LatentDecodeKernel.WarpTokens * 4 : 0;
        var scaleWord = (int)step.Z + (8 * lane);
        var shift = (int)((group < 4 ? step.W : step.W >> 8) & 31);
        var tail = (int)(step.W >> 16);
        var own = weights.SubView((group * LatentShared.WeightStride) + lane);
        var other = default(Float4);
        for (var block = share; block < (count + 31) >> 5; block += shares)
        {
            // Two chains of products, for one would wait on itself.
            var first = block * stride;
            var a = Words(codes, first + word);
            var b = Words(codes, first + word + 64);
            if (tail != 0)
            {
                a = CodeWord.UpperOctals(a, Words(codes, first + tail + (8 * lane) + ((group & 3) >> 1)), group);
                b = CodeWord.UpperOctals(b, Words(codes, first + tail + (8 * lane) + ((group & 3) >> 1) + 64), group);
            }

            if (step.Y != 0)
            {
                var scalesA = new UInt4(step.Z, step.Z, step.Z, step.Z);
                var scalesB = scalesA;
                if (!TScales.AreFolded && hasScales)
                {
                    scalesA = Words(codes, first + scaleWord);
                    scalesB = Words(codes, first + scaleWord + 64);
                }

                a = Values<TScales>(a, shift, step.Y, scalesA);
                b = Values<TScales>(b, shift, step.Y, scalesB);
            }

            sum = Mma.Half(DecodeAttentionKernel.Columns(a.X, a.Y, a.Z, a.W), new UInt2(own[16 * block], own[(16 * block) + 4]), sum);
            other = Mma.Half(DecodeAttentionKernel.Columns(b.X, b.Y, b.Z, b.W), new UInt2(own[(16 * block) + 8], own[(16 * block) + 12]), other);
        }

        return new Float4(sum.X + other.X, sum.Y + other.Y, sum.Z + other.Z, sum.W + other.W);
    }

    /// <summary>A word of tokens 0, 1, 8, 9 from there.</summary>
    private static UInt4 Words(ArrayView<uint> codes, int word) => new(codes[word], codes[word + 4], codes[word + 32], codes[word + 36]);

    private static UInt4 Values<TScales>(UInt4 words, int shift, uint mask, UInt4 scales)
        where TScales : struct, LatentDecodeKernel.IScales => new(
            Value<TScales>(words.X >> shift, mask, scales.X), Value<TScales>(words.Y >> shift, mask, scales.Y),
            Value<TScales>(words.Z >> shift, mask, scales.Z), Value<TScales>(words.W >> shift, mask, scales.W));

    private static uint Value<TScales>(uint word, uint mask, uint scale)
        where TScales : struct, LatentDecodeKernel.IScales =>
        TScales.AreFolded ? CodeWord.Offset(word, mask, scale) : CodeWord.Masked(word, mask, scale);
}
