using DeltaKV.Evaluation;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>A fixed number of rows from a stream, each drawn with a chance in proportion to its weight.</summary>
/// <remarks>Source: Efraimidis and Spirakis, 2006 (algorithm A-Res).</remarks>
internal sealed class WeightedReservoir(int capacity, SeededRandom random)
{
    private readonly PriorityQueue<float[], double> _rows = new(capacity);

    /// <summary>The rows held.</summary>
    public IEnumerable<float[]> Rows => _rows.UnorderedItems.OrderBy(item => item.Priority).Select(item => item.Element);

    /// <summary>Offers one row.</summary>
    public void Add(ReadOnlySpan<float> row, double weight)
    {
        if (weight <= 0)
            return;
        var key = Math.Log(1 - random.NextDouble()) / weight;
        if (_rows.Count < capacity || _rows.TryPeek(out _, out var least) && key > least)
            Keep(row.ToArray(), key);
    }

    /// <summary>Becomes the reservoir of both streams.</summary>
    public void Merge(WeightedReservoir other)
    {
        foreach (var (row, key) in other._rows.UnorderedItems)
            Keep(row, key);
    }

    private void Keep(float[] row, double key)
    {
        _rows.Enqueue(row, key);
        if (_rows.Count > capacity)
            _rows.Dequeue();
    }
}
