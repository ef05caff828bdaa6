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
    /// <param name="share">Which of the sixteens of tokens begins.</param>
    /// <param name="shares">How many warps share the tokens.</param>
    /// <param name="codes">The tile.</param>
    /// <param name="stride">Words from token to token.</param>
    /// <param name="weights">The tile's weights.</param>
    /// <param name="sum">What was added before.</param>
    internal static Float4 Add(
        UInt4 step, bool hasScales, int count, int share, int shares, ArrayView<uint> codes, int stride, ArrayView<uint> weights, Float4 sum)
    {
        var lane = Warp.LaneIdx;
        var group = lane >> 2;
        var isHalf = step.Y == 0;
        var word = (int)(step.X & 0xffff) + (group & 3) + (isHalf ? group & 4 : 0);
        var shift = (int)((step.X >> 16) & 0xff) + ((int)(step.X >> 24) * (group >> 2));
        var own = weights.SubView((group * LatentShared.WeightStride) + (lane & 3));
        for (var sixteen = share; sixteen < (count + 15) >> 4; sixteen += shares)
        {
            var token = (16 * sixteen) + (2 * (lane & 3));
            var tokens = codes.SubView(token * stride);
            var a = tokens[word];
            var b = tokens[word + stride];
            var c = tokens[word + (8 * stride)];
            var d = tokens[word + (9 * stride)];
            if (!isHalf)
            {
                var (scaleA, scaleB, scaleC, scaleD) = (step.Z, step.Z, step.Z, step.Z);
                if (hasScales)
                {
                    scaleA = tokens[(int)step.Z];
                    scaleB = tokens[(int)step.Z + stride];
                    scaleC = tokens[(int)step.Z + (8 * stride)];
                    scaleD = tokens[(int)step.Z + (9 * stride)];
                }

                a = CodeWord.Masked(a >> shift, step.Y, scaleA);
                b = CodeWord.Masked(b >> shift, step.Y, scaleB);
                c = CodeWord.Masked(c >> shift, step.Y, scaleC);
                d = CodeWord.Masked(d >> shift, step.Y, scaleD);
            }

            sum = Mma.Half(
                new UInt4(Bytes.PackLow(a, b), Bytes.PackHigh(a, b), Bytes.PackLow(c, d), Bytes.PackHigh(c, d)),
                new UInt2(own[8 * sixteen], own[(8 * sixteen) + 4]),
                sum);
        }

        return sum;
    }
}
