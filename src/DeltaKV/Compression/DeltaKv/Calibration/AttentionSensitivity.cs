using System.Numerics.Tensors;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>How much an error in cached K and V would disturb what a layer adds to the residual stream, to first order.</summary>
/// <remarks>
/// With probabilities p and head output o, an error (dk, dv) of token j moves the layer's output by
/// <c>sum_h p_j W_O,h [(v_j - o)(g . dk) + dv]</c>, where <c>g = R_j^-1 q / sqrt(D)</c> is the query turned to the key's position. The squared
/// norm, summed over queries and heads, is a quadratic form of the error: the metric. Its K part is
/// <c>p^2 |W_O,h (v_j - o)|^2 g g^T</c>, its V part <c>p^2 W_O,h^T W_O,h</c>; cross terms between heads, and between K and V, are left out, so
/// the metric is one block per KV head for K and one for V. Sinks and the most recent tokens stay raw and do not count.
/// </remarks>
internal sealed class AttentionSensitivity
{
    /// <summary>Windows for which is measured what a head would lose without history.</summary>
    internal static readonly int[] Windows = [16, 32, 48, 64, 96, 128];

    private const float SmallestProbability = 1e-3f;

    private readonly AttentionGeometry _geometry;
    private readonly int _sinks;
    private readonly int _recent;
    private readonly double[][] _outputGram;
    private readonly double[][] _keyMetric;
    private readonly double[] _squaredMass;
    private readonly double[][] _withoutHistory;

    public AttentionSensitivity(AttentionGeometry geometry, int sinks, int recent)
    {
        (_geometry, _sinks, _recent) = (geometry, sinks, recent);
        var dim = geometry.HeadDim;
        _keyMetric = [.. Enumerable.Range(0, geometry.KvHeads).Select(_ => new double[dim * dim])];
        _squaredMass = new double[geometry.Heads];
        _withoutHistory = [.. Windows.Select(_ => new double[geometry.KvHeads])];
        _outputGram = [.. ParallelEnumerable.Range(0, geometry.Heads).AsOrdered().Select(head =>
        {
            var gram = new double[dim * dim];
            for (var row = 0; row < geometry.Hidden; row++)
                AddOuter(gram, geometry.OutputProjection.AsSpan(row * geometry.Heads * dim + head * dim, dim), 1);
            return gram;
        })];
    }

    /// <summary>Adds what some queries do with a document's cache and returns each token's own sensitivity.</summary>
    /// <param name="rows">Pre-RoPE kv of the document, <c>[tokens, Width]</c>.</param>
    /// <param name="queries">Queries after RoPE, <c>[queries, Heads * HeadDim]</c>.</param>
    /// <param name="positions">The position of each query; it sees the tokens up to its own.</param>
    public double[] Add(ReadOnlyMemory<float> rows, ReadOnlyMemory<float> queries, int[] positions)
    {
        var tokens = rows.Length / _geometry.Width;
        var parts = new double[_geometry.KvHeads][];
        Parallel.For(0, _geometry.KvHeads, kvHead => parts[kvHead] = AddKvHead(kvHead, rows.Span, queries.Span, positions));
        var result = new double[tokens];
        foreach (var part in parts)
            TensorPrimitives.Add(result, part, result);
        return result;
    }

    /// <summary>Adds what another instance, of the same layer, has gathered.</summary>
    public void Merge(AttentionSensitivity other)
    {
        for (var i = 0; i < _keyMetric.Length; i++)
            TensorPrimitives.Add(_keyMetric[i], other._keyMetric[i], _keyMetric[i]);
        TensorPrimitives.Add(_squaredMass, other._squaredMass, _squaredMass);
        for (var i = 0; i < _withoutHistory.Length; i++)
            TensorPrimitives.Add(_withoutHistory[i], other._withoutHistory[i], _withoutHistory[i]);
    }

    /// <summary>Writes what was gathered.</summary>
    public void Save(BinaryWriter writer)
    {
        foreach (var metric in _keyMetric)
            writer.WriteAll<double>(metric);
        writer.WriteAll<double>(_squaredMass);
        foreach (var losses in _withoutHistory)
            writer.WriteAll<double>(losses);
    }

    /// <summary>Becomes what an instance of the same layer saved.</summary>
    public void Load(BinaryReader reader)
    {
        foreach (var metric in _keyMetric)
            reader.ReadAll<double>(metric);
        reader.ReadAll<double>(_squaredMass);
        foreach (var losses in _withoutHistory)
            reader.ReadAll<double>(losses);
    }

    /// <summary>
    /// By KV head, the squared change of the layer's output, summed over queries and query heads, if the head read sinks and so many recent tokens (of <see cref="Windows"/>, no more than
    /// these) alone: measured, not to first order.
    /// </summary>
    public IReadOnlyList<double> WithoutHistory(int recent) => _withoutHistory[Math.Max(0, Array.FindLastIndex(Windows, window => window <= recent))];

    /// <summary>The metric's blocks <c>[HeadDim, HeadDim]</c>: K of every KV head, then V of every KV head.</summary>
    public double[][] Metric()
    {
        var values = Enumerable.Range(0, _geometry.KvHeads).Select(kvHead =>
        {
            var block = new double[_geometry.HeadDim * _geometry.HeadDim];
            for (var head = kvHead * _geometry.GroupSize; head < (kvHead + 1) * _geometry.GroupSize; head++)
            {
                for (var i = 0; i < block.Length; i++)
                    block[i] += _squaredMass[head] * _outputGram[head][i];
            }

            return block;
        });
        return [.. _keyMetric.Select(m => (double[])m.Clone()), .. values];
    }

    private double[] AddKvHead(int kvHead, ReadOnlySpan<float> rows, ReadOnlySpan<float> queries, int[] positions)
    {
        var (dim, width) = (_geometry.HeadDim, _geometry.Width);
        var tokens = rows.Length / width;
        var result = new double[tokens];
        var keys = new float[tokens * dim];
        var values = new float[tokens * dim];
        for (var token = 0; token < tokens; token++)
        {
            rows.Slice(token * width + kvHead * dim, dim).CopyTo(keys.AsSpan(token * dim));
            rows.Slice(token * width + (_geometry.KvHeads + kvHead) * dim, dim).CopyTo(values.AsSpan(token * dim));
            _geometry.Rotate(keys.AsSpan(token * dim, dim), token);
        }

        for (var head = kvHead * _geometry.GroupSize; head < (kvHead + 1) * _geometry.GroupSize; head++)
            AddHead(head, keys, values, queries, positions, result);
        return result;
    }

    private void AddHead(
        int head, float[] keys, float[] values, ReadOnlySpan<float> queries, ReadOnlySpan<int> positions, double[] sensitivity)
    {
        var dim = _geometry.HeadDim;
        var kvHead = head / _geometry.GroupSize;
        var tokens = sensitivity.Length;
        var gram = _outputGram[head];
        var trace = Enumerable.Range(0, dim).Sum(i => gram[i * dim + i]);
        var keyVariance = (double)TensorPrimitives.SumOfSquares<float>(keys) / keys.Length;
        var valueVariance = (double)TensorPrimitives.SumOfSquares<float>(values) / values.Length;
        var projected = new float[tokens * dim];
        for (var token = 0; token < tokens; token++)
            Multiply(gram, values.AsSpan(token * dim, dim), projected.AsSpan(token * dim, dim));
        var logits = new float[tokens];
        var output = new float[dim];
        var outputProjected = new float[dim];
        var gradient = new float[dim];
        for (var i = 0; i < positions.Length; i++)
        {
            var query = queries.Slice((i * _geometry.Heads + head) * dim, dim);
            var seen = logits.AsSpan(0, Math.Min(tokens, positions[i] + 1));
            for (var token = 0; token < seen.Length; token++)
                seen[token] = TensorPrimitives.Dot(query, keys.AsSpan(token * dim, dim)) / MathF.Sqrt(dim);
            TensorPrimitives.SoftMax(seen, seen);
            output.AsSpan().Clear();
            for (var token = 0; token < seen.Length; token++)
            {
                if (seen[token] > SmallestProbability / 10)
                    TensorPrimitives.MultiplyAdd(values.AsSpan(token * dim, dim), seen[token], output, output);
            }

            AddWithoutHistory(head, positions[i], seen, values, output, gradient, outputProjected);
            Multiply(gram, output, outputProjected);
            var outputNorm = TensorPrimitives.Dot<float>(output, outputProjected);
            for (var token = _sinks; token < Math.Min(seen.Length, positions[i] - _recent); token++)
            {
                if (seen[token] < SmallestProbability)
                    continue;
                // |W_O (v - o)|^2 = v G v - 2 o G v + o G o
                var value = projected.AsSpan(token * dim, dim);
                var moved = TensorPrimitives.Dot(values.AsSpan(token * dim, dim), value) - 2 * TensorPrimitives.Dot<float>(output, value) + outputNorm;
                var squared = (double)seen[token] * seen[token];
                var stake = squared * Math.Max(0, moved) / dim;
                query.CopyTo(gradient);
                _geometry.Rotate(gradient, token, inverse: true);
                AddOuter(_keyMetric[kvHead], gradient, stake);
                _squaredMass[head] += squared;
                sensitivity[token] += stake * TensorPrimitives.SumOfSquares<float>(gradient) * keyVariance + squared * trace * valueVariance;
            }
        }
    }

    /// <summary>What the head's output loses without history, for every window.</summary>
    private void AddWithoutHistory(int head, int position, ReadOnlySpan<float> seen, float[] values, float[] output, float[] difference, float[] projected)
    {
        var (dim, kvHead) = (_geometry.HeadDim, head / _geometry.GroupSize);
        var window = new float[dim];
        var (mass, end) = (0f, seen.Length);
        for (var token = 0; token < Math.Min(_sinks, seen.Length); token++)
            Look(token, seen, ref mass);
        for (var w = 0; w < Windows.Length && position - Windows[w] > _sinks; w++)
        {
            for (; end > Math.Max(_sinks, position - Windows[w]); end--)
                Look(end - 1, seen, ref mass);
            for (var i = 0; i < dim; i++)
                difference[i] = output[i] - (mass > 0 ? window[i] / mass : 0);
            Multiply(_outputGram[head], difference, projected);
            _withoutHistory[w][kvHead] += Math.Max(0, TensorPrimitives.Dot<float>(difference, projected));
        }

        void Look(int token, ReadOnlySpan<float> seen, ref float mass)
        {
            TensorPrimitives.MultiplyAdd(values.AsSpan(token * dim, dim), seen[token], window, window);
            mass += seen[token];
        }
    }

    private static void Multiply(double[] matrix, ReadOnlySpan<float> vector, Span<float> result)
    {
        Span<double> wide = stackalloc double[vector.Length];
        TensorPrimitives.ConvertSaturating(vector, wide);
        for (var i = 0; i < vector.Length; i++)
            result[i] = (float)TensorPrimitives.Dot<double>(matrix.AsSpan(i * vector.Length, vector.Length), wide);
    }

    private static void AddOuter(double[] matrix, ReadOnlySpan<float> vector, double weight)
    {
        Span<double> wide = stackalloc double[vector.Length];
        TensorPrimitives.ConvertSaturating(vector, wide);
        for (var i = 0; i < vector.Length; i++)
        {
            var target = matrix.AsSpan(i * vector.Length, vector.Length);
            TensorPrimitives.MultiplyAdd(wide, weight * wide[i], target, target);
        }
    }
}
