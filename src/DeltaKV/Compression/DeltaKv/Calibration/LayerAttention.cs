using System.Numerics.Tensors;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Attention of one layer over a document that was read, on the host: what its queries look at.</summary>
internal sealed class LayerAttention
{
    private readonly AttentionGeometry _geometry;
    private readonly ReadOnlyMemory<float> _rows;
    private readonly float[][] _keys;

    /// <summary>Turns the keys to their positions.</summary>
    /// <param name="geometry">The layer.</param>
    /// <param name="rows">Its cache before RoPE, <c>[tokens, Width]</c>.</param>
    public LayerAttention(AttentionGeometry geometry, ReadOnlyMemory<float> rows)
    {
        (_geometry, _rows) = (geometry, rows);
        var dim = geometry.HeadDim;
        _keys = [.. Enumerable.Range(0, geometry.KvHeads).Select(_ => new float[Tokens * dim])];
        Parallel.For(0, geometry.KvHeads, head =>
        {
            for (var token = 0; token < Tokens; token++)
            {
                var key = _keys[head].AsSpan(token * dim, dim);
                _rows.Span.Slice(token * geometry.Width + head * dim, dim).CopyTo(key);
                geometry.Rotate(key, token);
            }
        });
    }

    /// <summary>Tokens of the document.</summary>
    public int Tokens => _rows.Length / _geometry.Width;

    /// <summary>What a query looks at: one probability for every token up to its own.</summary>
    /// <param name="head">The query head.</param>
    /// <param name="query">After RoPE, all heads of one position.</param>
    /// <param name="position">That position.</param>
    public float[] Probabilities(int head, ReadOnlySpan<float> query, int position)
    {
        var result = Logits(head, query, position);
        TensorPrimitives.SoftMax<float>(result, result);
        return result;
    }

    /// <summary>What a head reads when it may look at some tokens only.</summary>
    /// <param name="head">The query head.</param>
    /// <param name="logits">Of all tokens up to the query's.</param>
    /// <param name="tokens">Those it may look at.</param>
    /// <param name="output">The mean of their values, weighted by the softmax over them.</param>
    public void Read(int head, ReadOnlySpan<float> logits, ReadOnlySpan<int> tokens, Span<float> output)
    {
        var dim = _geometry.HeadDim;
        var weights = new float[tokens.Length];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = logits[tokens[i]];
        TensorPrimitives.SoftMax<float>(weights, weights);
        var first = (_geometry.KvHeads + head / _geometry.GroupSize) * dim;
        output.Clear();
        for (var i = 0; i < weights.Length; i++)
            TensorPrimitives.MultiplyAdd(_rows.Span.Slice(tokens[i] * _geometry.Width + first, dim), weights[i], output, output);
    }

    /// <summary>Scaled products of a query with every key up to its own.</summary>
    public float[] Logits(int head, ReadOnlySpan<float> query, int position)
    {
        var dim = _geometry.HeadDim;
        var own = query.Slice(head * dim, dim);
        var keys = _keys[head / _geometry.GroupSize];
        var result = new float[position + 1];
        for (var token = 0; token < result.Length; token++)
            result[token] = TensorPrimitives.Dot(own, keys.AsSpan(token * dim, dim)) / MathF.Sqrt(dim);
        return result;
    }
}
