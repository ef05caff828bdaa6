using DeltaKV.Gpu;
using DeltaKV.Weights;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Sorts projections <c>[rows, q | k | v]</c> into what calibration wants: kv rows as they are coded, and finished queries at chosen positions.</summary>
internal sealed class ProjectionCapture
{
    private readonly ModelConfig _config;
    private readonly IReadOnlyList<float> _inverseFrequencies;
    private readonly Func<int, (float[]? Query, float[]? Key)> _norms;
    private readonly Dictionary<int, int> _queryIndex = [];

    public ProjectionCapture(
        ModelConfig config, IReadOnlyList<float> inverseFrequencies, int tokens, ReadOnlySpan<int> queryPositions,
        Func<int, (float[]? Query, float[]? Key)> norms)
    {
        (_config, _inverseFrequencies, _norms) = (config, inverseFrequencies, norms);
        foreach (var position in queryPositions)
            _queryIndex[position] = _queryIndex.Count;
        Rows = [.. Enumerable.Range(0, config.LayerCount).Select(_ => new float[tokens * config.KeyValueWidth])];
        Queries = [.. Enumerable.Range(0, config.LayerCount).Select(_ => new float[_queryIndex.Count * QueryWidth])];
    }

    /// <summary>Per layer, <c>[tokens, k | v]</c>: keys after their norm, before RoPE.</summary>
    public float[][] Rows { get; }

    /// <summary>Per layer, <c>[positions, heads]</c>: queries after norm and RoPE.</summary>
    public float[][] Queries { get; }

    /// <summary>Elements of a row of projections.</summary>
    public int ProjectionWidth => QueryWidth + _config.KeyValueWidth;

    private int QueryWidth => _config.HeadCount * _config.HeadDim;

    /// <summary>Takes over the projections of consecutive positions.</summary>
    public void Add(int layer, int firstPosition, ReadOnlySpan<BFloat16> projections)
    {
        var dim = _config.HeadDim;
        var (queryNorm, keyNorm) = _norms(layer);
        for (var row = 0; row < projections.Length / ProjectionWidth; row++)
        {
            var source = projections.Slice(row * ProjectionWidth, ProjectionWidth);
            var position = firstPosition + row;
            var kv = Rows[layer].AsSpan(position * _config.KeyValueWidth, _config.KeyValueWidth);
            Widen(source[QueryWidth..], kv);
            for (var head = 0; head < _config.KeyValueHeadCount; head++)
                Normalise(kv.Slice(head * dim, dim), keyNorm);
            if (!_queryIndex.TryGetValue(position, out var index))
                continue;
            var queries = Queries[layer].AsSpan(index * QueryWidth, QueryWidth);
            Widen(source[..QueryWidth], queries);
            for (var head = 0; head < _config.HeadCount; head++)
            {
                Normalise(queries.Slice(head * dim, dim), queryNorm);
                Rotate(queries.Slice(head * dim, dim), position);
            }
        }
    }

    private static void Widen(ReadOnlySpan<BFloat16> source, Span<float> target)
    {
        for (var i = 0; i < source.Length; i++)
            target[i] = (float)source[i];
    }

    private void Normalise(Span<float> head, float[]? weights)
    {
        if (weights is null)
            return;
        var sum = 0f;
        foreach (var value in head)
            sum += value * value;
        var scale = 1 / MathF.Sqrt(sum / head.Length + _config.RmsNormEpsilon);
        for (var i = 0; i < head.Length; i++)
            head[i] *= scale * weights[i];
    }

    /// <summary>Scaled rotations (YaRN) scale query and key; the whole factor goes to the query, because coded keys are not rotated.</summary>
    private void Rotate(Span<float> head, int position)
    {
        var factor = _config.Rope.AttentionFactor * _config.Rope.AttentionFactor;
        var half = head.Length / 2;
        for (var i = 0; i < half; i++)
        {
            var (sin, cos) = Math.SinCos(position * (double)_inverseFrequencies[i]);
            var (x, y) = (head[i], head[i + half]);
            head[i] = (float)(factor * (x * cos - y * sin));
            head[i + half] = (float)(factor * (y * cos + x * sin));
        }
    }
}
