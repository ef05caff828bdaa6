namespace DeltaKV.Tests.Reference;

/// <summary>KIVI on whole groups of tokens in double precision: what the kernels are compared with.</summary>
/// <remarks>
/// K is quantised per channel over a group of 32 tokens, V per token over groups of 32 channels, both asymmetrically between minimum and
/// maximum, with <c>value = minimum + step * code</c>. Minimum and step are rounded to bf16 before codes are chosen, as stored.
/// Source: Liu et al., KIVI, 2024 (arXiv 2402.02750).
/// </remarks>
internal static class ScalarKivi
{
    /// <summary>Tokens of a K group, and channels of a V group.</summary>
    public const int Group = 32;

    /// <summary>Bytes of a group of tokens: codes, then a (minimum, step) pair of bf16 per K channel and per V token and group.</summary>
    public static int BytesPerGroup(int headChannels, int bits) =>
        2 * Group * headChannels * bits / 8 + headChannels * 4 + Group * (headChannels / Group) * 4;

    /// <summary>What is read back of 32 tokens' rows <c>[32, 2 * headChannels]</c> (K of all heads, then V of all heads).</summary>
    public static float[] RoundTrip(ReadOnlySpan<float> rows, int headChannels, int bits)
    {
        var width = 2 * headChannels;
        if (rows.Length != Group * width || headChannels % Group != 0)
            throw new ArgumentException($"{Group} rows of {width} numbers, a multiple of {2 * Group}, are needed; got {rows.Length} numbers.", nameof(rows));
        var result = rows.ToArray();
        Span<int> indices = stackalloc int[Group];
        for (var channel = 0; channel < headChannels; channel++)
        {
            for (var token = 0; token < Group; token++)
                indices[token] = token * width + channel;
            Quantize(result, indices, bits);
        }

        for (var token = 0; token < Group; token++)
        {
            for (var channel = headChannels; channel < width; channel += Group)
            {
                for (var i = 0; i < Group; i++)
                    indices[i] = token * width + channel + i;
                Quantize(result, indices, bits);
            }
        }

        return result;
    }

    private static void Quantize(float[] values, ReadOnlySpan<int> indices, int bits)
    {
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var index in indices)
            (low, high) = (Math.Min(low, values[index]), Math.Max(high, values[index]));
        var levels = (1 << bits) - 1;
        var minimum = BFloat16((float)low);
        var step = BFloat16((float)((high - minimum) / levels));
        foreach (var index in indices)
        {
            var code = step > 0 ? Math.Clamp(Math.Round((values[index] - minimum) / step), 0, levels) : 0;
            values[index] = (float)(minimum + step * code);
        }
    }

    private static double BFloat16(float value) =>
        BitConverter.UInt32BitsToSingle((uint)DeltaKV.Weights.TensorConversion.RoundToBFloat16(value) << 16);
}
