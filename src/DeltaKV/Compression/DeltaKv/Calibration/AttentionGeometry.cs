namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>What calibration must know of one layer's attention.</summary>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">KV heads.</param>
/// <param name="HeadDim">Numbers per head.</param>
/// <param name="Hidden">Width of the residual stream.</param>
/// <param name="InverseFrequencies">RoPE: the pair (i, i + HeadDim/2) turns by position times element i.</param>
/// <param name="OutputProjection">W_O, <c>[Hidden, Heads * HeadDim]</c>.</param>
internal sealed record AttentionGeometry(
    int Heads, int KvHeads, int HeadDim, int Hidden, IReadOnlyList<float> InverseFrequencies, float[] OutputProjection)
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
}
