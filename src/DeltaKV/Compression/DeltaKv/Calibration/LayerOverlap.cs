using System.Numerics.Tensors;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Measures how well one layer's attention foretells another's: what the other would still see of history if it read only the first one's favourites.</summary>
/// <remarks>
/// A token's stake in a layer is the sum of its squared probabilities over query heads: what an error in it would do, to first order. Sinks and window are
/// read in any case and do not count, so a layer that looks at nothing else has no say.
/// </remarks>
internal sealed class LayerOverlap(int layers, int sinks = 16, int recent = 64, int budget = 2048)
{
    private const int QueriesPerDocument = 16;

    // Short documents would fit the budget whole; a part of them still tells the layers apart.
    private const int SmallestPart = 32;

    private readonly double[] _sums = new double[layers * layers];
    private readonly (float[] Largest, float[] Stakes)[][] _scores = new (float[], float[])[layers][];

    /// <summary>
    /// By <c>[observer, follower]</c>, the covered share of the follower's stake, times the follower's weight: the root of its stake, as its output moves by
    /// that. On the diagonal the weight alone; the largest is 1.
    /// </summary>
    public double[] Mean()
    {
        var shares = Shares();
        var largest = Math.Max(Enumerable.Range(0, layers).Max(layer => _sums[layer * (layers + 1)]), double.Epsilon * 1e20);
        return [.. shares.Select((share, i) => share * Math.Sqrt(_sums[i % layers * (layers + 1)] / largest))];
    }

    /// <summary>By <c>[observer, follower]</c>, the covered share of the follower's stake.</summary>
    public double[] Shares() => [.. _sums.Select((sum, i) => _sums[i % layers * (layers + 1)] is > 0 and var own ? sum / own : 0)];

    /// <summary>Adds one layer of a document; every layer must come before <see cref="EndDocument"/>. Different layers may come at once.</summary>
    public void Add(int layer, AttentionGeometry geometry, ReadOnlySpan<float> rows, ReadOnlySpan<float> queries, ReadOnlySpan<int> positions)
    {
        var chosen = Math.Min(QueriesPerDocument, positions.Length);
        var scores = new (float[], float[])[chosen];
        for (var i = 0; i < chosen; i++)
        {
            var index = (int)((long)i * positions.Length / chosen);
            var size = geometry.Heads * geometry.HeadDim;
            scores[i] = Scores(geometry, rows, queries.Slice(index * size, size), positions[index]);
        }

        _scores[layer] = scores;
    }

    /// <summary>Compares the layers of the document just added.</summary>
    public void EndDocument()
    {
        for (var query = 0; query < _scores[0].Length; query++)
        {
            var history = _scores[0][query].Largest.Length;
            var count = Math.Min(budget, history / SmallestPart);
            for (var observer = 0; observer < layers; observer++)
            {
                var chosen = FullLayerSelection.Top(_scores[observer][query].Largest, count);
                for (var follower = observer + 1; follower < layers; follower++)
                    _sums[observer * layers + follower] += chosen.Sum(token => (double)_scores[follower][query].Stakes[token]);
                _sums[observer * layers + observer] += TensorPrimitives.Sum<float>(_scores[observer][query].Stakes);
            }
        }

        Array.Clear(_scores);
    }

    /// <summary>Adds what another instance has measured.</summary>
    public void Merge(LayerOverlap other) => TensorPrimitives.Add(_sums, other._sums, _sums);

    /// <summary>Writes what was measured.</summary>
    public void Save(BinaryWriter writer) => writer.WriteAll<double>(_sums);

    /// <summary>Becomes what was saved.</summary>
    public void Load(BinaryReader reader) => reader.ReadAll<double>(_sums);

    /// <summary>Of every token of history: its largest probability over the query heads, which is what an observer ranks by, and its stake.</summary>
    private (float[] Largest, float[] Stakes) Scores(AttentionGeometry geometry, ReadOnlySpan<float> rows, ReadOnlySpan<float> query, int position)
    {
        var (dim, tokens) = (geometry.HeadDim, position + 1);
        var history = Math.Max(0, tokens - recent - sinks);
        var (largest, stakes) = (new float[history], new float[history]);
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
            if (history == 0)
                continue;
            var old = logits.AsSpan(sinks, history);
            TensorPrimitives.Max(largest, old, largest);
            TensorPrimitives.MultiplyAdd(old, old, stakes, stakes);
        }

        return (largest, stakes);
    }
}
