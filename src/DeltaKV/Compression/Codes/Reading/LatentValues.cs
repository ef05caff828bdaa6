using DeltaKV.Gpu;

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
    /// <param name="stride">Words from token to token.</param>
    /// <param name="weights">The tile's weights.</param>
    /// <param name="sum">What was added before.</param>
    internal static Float4 Add<TScales>(
        UInt4 step, bool hasScales, int count, int share, int shares, ArrayView<uint> codes, int stride, ArrayView<uint> weights, Float4 sum)
        where TScales : struct, LatentDecodeKernel.IScales
    {
        var lane = Warp.LaneIdx;
        var group = lane >> 2;
        var word = (int)step.X + (group & 3) + (step.Y == 0 ? group & 4 : 0);
        var shift = group < 4 ? step.W : step.W >> 8;
        var own = weights.SubView((group * LatentShared.WeightStride) + (lane & 3));
        var other = default(Float4);
        for (var block = share; block < (count + 31) >> 5; block += shares)
        {
            // Two chains of products, for one would wait on itself.
            var first = codes.SubView(((32 * block) + (2 * (lane & 3))) * stride);
            var second = first.SubView(16 * stride);
            var a = Words(first, word, stride);
            var b = Words(second, word, stride);
            if (step.Y != 0)
            {
                a = Values<TScales>(a, shift, step, hasScales, first, stride);
                b = Values<TScales>(b, shift, step, hasScales, second, stride);
            }

            sum = Mma.Half(Columns(a), new UInt2(own[16 * block], own[(16 * block) + 4]), sum);
            other = Mma.Half(Columns(b), new UInt2(own[(16 * block) + 8], own[(16 * block) + 12]), other);
        }

        return new Float4(sum.X + other.X, sum.Y + other.Y, sum.Z + other.Z, sum.W + other.W);
    }

    /// <summary>A word of four tokens: 0, 1, 8, 9.</summary>
    private static UInt4 Words(ArrayView<uint> tokens, int word, int stride) =>
        new(tokens[word], tokens[word + stride], tokens[word + (8 * stride)], tokens[word + (9 * stride)]);

    private static UInt4 Values<TScales>(UInt4 words, uint shift, UInt4 step, bool hasScales, ArrayView<uint> tokens, int stride)
        where TScales : struct, LatentDecodeKernel.IScales
    {
        var scales = new UInt4(step.Z, step.Z, step.Z, step.Z);
        if (!TScales.AreFolded && hasScales)
            scales = Words(tokens, (int)step.Z, stride);
        return new UInt4(
            LatentKeys.Value<TScales>(words.X, shift, step.Y, scales.X), LatentKeys.Value<TScales>(words.Y, shift, step.Y, scales.Y),
            LatentKeys.Value<TScales>(words.Z, shift, step.Y, scales.Z), LatentKeys.Value<TScales>(words.W, shift, step.Y, scales.W));
    }

    /// <summary>Two dimensions of four tokens as a left operand whose rows are the first above the second.</summary>
    private static UInt4 Columns(UInt4 tokens) => new(
        Bytes.PackLow(tokens.X, tokens.Y), Bytes.PackHigh(tokens.X, tokens.Y), Bytes.PackLow(tokens.Z, tokens.W), Bytes.PackHigh(tokens.Z, tokens.W));
}
