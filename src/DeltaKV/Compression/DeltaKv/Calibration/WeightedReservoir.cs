using DeltaKV.Evaluation;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>A fixed number of rows from a stream, each drawn with a chance in proportion to its weight.</summary>
/// <remarks>Source: Efraimidis and Spirakis, 2006 (algorithm A-Res).</remarks>
internal sealed class WeightedReservoir(int capacity, SeededRandom random)
{
    private readonly PriorityQueue<float[], double> _rows = new(capacity);

    /// <summary>The rows held, in an order that depends on nothing but what was drawn.</summary>
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

    /// <summary>Writes the rows, and where the draw is.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.WriteAll<ulong>(random.State);
        writer.Write(_rows.Count);
        foreach (var (row, key) in _rows.UnorderedItems)
        {
            writer.Write(key);
            writer.Write(row.Length);
            writer.WriteAll<float>(row);
        }
    }

    /// <summary>Becomes what was saved, and goes on drawing as it would have.</summary>
    public void Load(BinaryReader reader)
    {
        var state = new ulong[4];
        reader.ReadAll<ulong>(state);
        random.State = state;
        _rows.Clear();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var key = reader.ReadDouble();
            var row = new float[reader.ReadInt32()];
            reader.ReadAll<float>(row);
            _rows.Enqueue(row, key);
        }
    }

    private void Keep(float[] row, double key)
    {
        _rows.Enqueue(row, key);
        if (_rows.Count > capacity)
            _rows.Dequeue();
    }
}
