namespace DeltaKV.Weights;

/// <summary>
/// Inverse frequencies of the rotary embedding: dimension pair <c>i</c> of a head turns by <c>position * Inverse[i]</c>.
/// </summary>
/// <remarks>
/// Computed in fp64 and rounded once to fp32; the formulas are those of Transformers' <c>modeling_rope_utils</c>.
/// Sources: Su et al., 2021; Chen et al., 2023 (linear); Llama 3.1; Peng et al., 2023 (YaRN).
/// </remarks>
public static class RopeFrequencies
{
    /// <summary>Returns <c>[headDim / 2]</c> inverse frequencies.</summary>
    public static float[] Inverse(RopeParameters rope, int headDim)
    {
        ArgumentNullException.ThrowIfNull(rope);
        var inverse = new double[headDim / 2];
        for (var i = 0; i < inverse.Length; i++)
            inverse[i] = 1 / Math.Pow(rope.Theta, 2.0 * i / headDim);

        switch (rope.Type)
        {
            case RopeType.Linear:
                for (var i = 0; i < inverse.Length; i++)
                    inverse[i] /= rope.Factor;
                break;
            case RopeType.Llama3:
                for (var i = 0; i < inverse.Length; i++)
                    inverse[i] = ScaleLlama3(rope, inverse[i]);
                break;
            case RopeType.Yarn:
                ScaleYarn(rope, inverse, headDim);
                break;
            default:
                break;
        }
        return Array.ConvertAll(inverse, value => (float)value);
    }

    private static double ScaleLlama3(RopeParameters rope, double inverse)
    {
        var wavelength = 2 * Math.PI / inverse;
        if (wavelength < rope.OriginalMaxPositions / rope.HighFrequencyFactor)
            return inverse;
        if (wavelength > rope.OriginalMaxPositions / rope.LowFrequencyFactor)
            return inverse / rope.Factor;
        var smooth = (rope.OriginalMaxPositions / wavelength - rope.LowFrequencyFactor) / (rope.HighFrequencyFactor - rope.LowFrequencyFactor);
        return (1 - smooth) * inverse / rope.Factor + smooth * inverse;
    }

    private static void ScaleYarn(RopeParameters rope, double[] inverse, int headDim)
    {
        var low = CorrectionDimension(rope, rope.BetaFast, headDim);
        var high = CorrectionDimension(rope, rope.BetaSlow, headDim);
        if (rope.Truncate)
        {
            low = Math.Floor(low);
            high = Math.Ceiling(high);
        }
        low = Math.Max(low, 0);
        high = Math.Min(high, headDim - 1);
        if (low == high)
            high += 0.001;
        for (var i = 0; i < inverse.Length; i++)
        {
            var interpolated = Math.Clamp((i - low) / (high - low), 0, 1);
            inverse[i] = inverse[i] / rope.Factor * interpolated + inverse[i] * (1 - interpolated);
        }
    }

    /// <summary>The dimension that turns <paramref name="rotations"/> times over the original context.</summary>
    private static double CorrectionDimension(RopeParameters rope, double rotations, int headDim) =>
        headDim * Math.Log(rope.OriginalMaxPositions / (rotations * 2 * Math.PI)) / (2 * Math.Log(rope.Theta));
}
