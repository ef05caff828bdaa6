using System.Numerics;

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

    // Cosines and sines by position: every key of every document is turned, and gradients are turned back.
    private (float Cos, float Sin)[] _turns = [];

    /// <summary>Turns a head vector to a position, or back.</summary>
    public void Rotate(Span<float> head, int position, bool inverse = false)
    {
        var half = HeadDim / 2;
        var turns = Turns(position).AsSpan(position * half, half);
        var sign = inverse ? -1 : 1;
        for (var i = 0; i < half; i++)
        {
            var (cos, sin) = (turns[i].Cos, sign * turns[i].Sin);
            var (x, y) = (head[i], head[i + half]);
            head[i] = (x * cos) - (y * sin);
            head[i + half] = (y * cos) + (x * sin);
        }
    }

    /// <summary>The table, up to a position at least; whoever comes at once may make it twice.</summary>
    private (float Cos, float Sin)[] Turns(int position)
    {
        var half = HeadDim / 2;
        if (_turns.Length > position * half)
            return _turns;
        var positions = Math.Max(1024, (int)BitOperations.RoundUpToPowerOf2((uint)position + 1));
        var table = new (float Cos, float Sin)[positions * half];
        for (var i = 0; i < table.Length; i++)
        {
            var (sin, cos) = Math.SinCos(i / half * (double)InverseFrequencies[i % half]);
            table[i] = ((float)cos, (float)sin);
        }

        return _turns = table;
    }
}
