namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>What calibration must know of one layer's attention.</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">KV heads.</param>
/// <param name="HeadDim">Numbers per head.</param>
/// <param name="Hidden">Width of the residual stream.</param>
/// <param name="InverseFrequencies">RoPE: the pair (i, i + HeadDim/2) turns by position times element i.</param>
/// <param name="OutputProjection">W_O, <c>[Hidden, Heads * HeadDim]</c>.</param>
/// <param name="KeyNorm">Weights of the norm that keys pass before RoPE, or null; rows hold keys before it.</param>
/// <param name="NormEpsilon">That norm's epsilon.</param>
internal sealed record AttentionGeometry(
    int Heads, int KvHeads, int HeadDim, int Hidden, IReadOnlyList<float> InverseFrequencies, float[] OutputProjection,
    float[]? KeyNorm = null, float NormEpsilon = 0)
{
    /// <summary>Numbers per token: K of all KV heads, then V of all KV heads.</summary>
    public int Width => 2 * KvHeads * HeadDim;

    /// <summary>Query heads that share one KV head.</summary>
    public int GroupSize => Heads / KvHeads;

    /// <summary>Turns a head vector to a position, or back.</summary>
    public void Rotate(Span<float> head, int position, bool inverse = false)
    {
        for (var i = 0; i < HeadDim / 2; i++)
        {
            var (sin, cos) = Math.SinCos((inverse ? -position : position) * (double)InverseFrequencies[i]);
            var (x, y) = (head[i], head[i + HeadDim / 2]);
            head[i] = (float)(x * cos - y * sin);
            head[i + HeadDim / 2] = (float)(y * cos + x * sin);
        }
    }

    /// <summary>A cached key as attention sees it: normalised, where the model does, and turned to its position.</summary>
    public void Finish(Span<float> key, int position)
    {
        if (KeyNorm is not null)
        {
            var scale = 1 / RootMeanSquare(key);
            for (var i = 0; i < key.Length; i++)
                key[i] *= scale * KeyNorm[i];
        }

        Rotate(key, position);
    }

    /// <summary>Takes a gradient with respect to a finished key back to the cached one: the transpose of <see cref="Finish"/>'s derivative.</summary>
    public void PullBack(Span<float> gradient, ReadOnlySpan<float> key, int position)
    {
        Rotate(gradient, position, inverse: true);
        if (KeyNorm is null)
            return;
        var rms = RootMeanSquare(key);
        var along = 0f;
        for (var i = 0; i < key.Length; i++)
        {
            gradient[i] *= KeyNorm[i] / rms;
            along += gradient[i] * key[i];
        }

        for (var i = 0; i < key.Length; i++)
            gradient[i] -= key[i] * along / (key.Length * rms * rms);
    }

    private float RootMeanSquare(ReadOnlySpan<float> key)
    {
        var sum = 0f;
        foreach (var value in key)
            sum += value * value;
        return MathF.Sqrt(sum / key.Length + NormEpsilon);
    }
}
