using System.Numerics.Tensors;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Measures how well one layer's attention foretells another's: shared members of their top sets, query by query.</summary>
internal sealed class LayerOverlap(int layers, int budget = 2048)
{
    private const int QueriesPerDocument = 16;
    private const int SmallestPart = 16;

    private readonly double[] _sums = new double[layers * layers];
    private readonly float[][][] _scores = new float[layers][][];
    private int _queries;

    /// <summary>Mean overlap <c>[observer, follower]</c>.</summary>
    public double[] Mean() => [.. _sums.Select(s => _queries == 0 ? 0 : s / _queries)];

    /// <summary>Adds one layer of a document; every layer must come before <see cref="EndDocument"/>. Different layers may come at once.</summary>
    public void Add(int layer, AttentionGeometry geometry, ReadOnlySpan<float> rows, ReadOnlySpan<float> queries, ReadOnlySpan<int> positions)
    {
        var chosen = Math.Min(QueriesPerDocument, positions.Length);
        var scores = new float[chosen][];
        for (var i = 0; i < chosen; i++)
        {
            var index = (int)((long)i * positions.Length / chosen);
            var size = geometry.Heads * geometry.HeadDim;
            scores[i] = LargestProbabilities(geometry, rows, queries.Slice(index * size, size), positions[index]);
        }

        _scores[layer] = scores;
    }

    /// <summary>Compares the layers of the document just added.</summary>
    public void EndDocument()
    {
        for (var query = 0; query < _scores[0].Length; query++, _queries++)
        {
            // Short documents would fit the budget whole; a part of them still tells the layers apart.
            var count = Math.Min(budget, _scores[0][query].Length / SmallestPart);
            for (var observer = 0; observer < layers; observer++)
            {
                for (var follower = observer + 1; follower < layers; follower++)
                    _sums[observer * layers + follower] += FullLayerSelection.Overlap(_scores[observer][query], _scores[follower][query], count);
            }
        }

        Array.Clear(_scores);
    }

    /// <summary>Adds what another instance has measured.</summary>
    public void Merge(LayerOverlap other)
    {
        TensorPrimitives.Add(_sums, other._sums, _sums);
        _queries += other._queries;
    }

    /// <summary>Writes what was measured.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(_queries);
        writer.WriteAll<double>(_sums);
    }

    /// <summary>Becomes what was saved.</summary>
    public void Load(BinaryReader reader)
    {
        _queries = reader.ReadInt32();
        reader.ReadAll<double>(_sums);
    }

    /// <summary>A token's score: its largest probability over the query heads.</summary>
    private static float[] LargestProbabilities(AttentionGeometry geometry, ReadOnlySpan<float> rows, ReadOnlySpan<float> query, int position)
    {
        var (dim, tokens) = (geometry.HeadDim, position + 1);
        var largest = new float[tokens];
        var logits = new float[tokens];
        var key = new float[dim];
        var keys = new float[tokens * dim];
        for (var head = 0; head < geometry.Heads; head++)
        {
            for (var token = 0; token < tokens; token++)
            {
                if (head % geometry.GroupSize == 0)
                {
                    rows.Slice(token * geometry.Width + head / geometry.GroupSize * dim, dim).CopyTo(key);
                    geometry.Rotate(key, token);
                    key.CopyTo(keys.AsSpan(token * dim));
                }

                logits[token] = TensorPrimitives.Dot(query.Slice(head * dim, dim), keys.AsSpan(token * dim, dim)) / MathF.Sqrt(dim);
            }

            TensorPrimitives.SoftMax<float>(logits, logits);
            TensorPrimitives.Max<float>(largest, logits, largest);
        }

        return largest;
    }
}
