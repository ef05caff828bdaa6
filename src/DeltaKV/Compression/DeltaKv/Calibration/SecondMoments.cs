using System.Numerics.Tensors;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Weighted mean and covariance of a stream of vectors, in double.</summary>
/// <remarks>Vectors are gathered and added a batch at a time, so that wide matrices pass through the cache once per batch, not once per vector.</remarks>
internal sealed class SecondMoments(int width)
{
    private const int BatchRows = 32;

    private readonly double[] _sum = new double[width];
    private readonly double[] _squares = new double[width * width];
    private readonly double[][] _batch = [.. Enumerable.Range(0, BatchRows).Select(_ => new double[width])];
    private readonly double[] _batchWeights = new double[BatchRows];
    private int _pending;

    /// <summary>Sum of the weights so far.</summary>
    public double Weight { get; private set; }

    /// <summary>Adds one vector.</summary>
    public void Add(ReadOnlySpan<float> vector, double weight = 1)
    {
        var row = _batch[_pending];
        TensorPrimitives.ConvertSaturating(vector, row);
        Weight += weight;
        TensorPrimitives.MultiplyAdd(row, weight, _sum, _sum);
        _batchWeights[_pending++] = weight;
        if (_pending == BatchRows)
            Flush();
    }

    /// <summary>Adds what is gathered. Sums depend on when it is called: at the same points of a stream, or not at all.</summary>
    public void Flush()
    {
        for (var i = 0; i < width && _pending > 0; i++)
        {
            // Upper triangle only; the matrix is symmetric.
            var target = _squares.AsSpan(i * width + i, width - i);
            for (var r = 0; r < _pending; r++)
                TensorPrimitives.MultiplyAdd(_batch[r].AsSpan(i), _batchWeights[r] * _batch[r][i], target, target);
        }

        _pending = 0;
    }

    /// <summary>Adds everything another instance has seen.</summary>
    public void Merge(SecondMoments other)
    {
        Flush();
        other.Flush();
        Weight += other.Weight;
        TensorPrimitives.Add(_sum, other._sum, _sum);
        TensorPrimitives.Add(_squares, other._squares, _squares);
    }

    /// <summary>The weighted mean; zeros before the first vector.</summary>
    public double[] Mean() => [.. _sum.Select(s => Weight > 0 ? s / Weight : 0)];

    /// <summary><c>E[(x - center)(x - center)^T]</c>, full matrix, row-major.</summary>
    public double[] Covariance(ReadOnlySpan<double> center)
    {
        Flush();
        var result = new double[width * width];
        var scale = Weight > 0 ? 1 / Weight : 0;
        for (var i = 0; i < width; i++)
        {
            for (var j = i; j < width; j++)
            {
                var value = scale * (_squares[i * width + j] - _sum[i] * center[j] - center[i] * _sum[j]);
                result[i * width + j] = result[j * width + i] = value + (Weight > 0 ? center[i] * center[j] : 0);
            }
        }

        return result;
    }

    /// <summary>Writes what was seen.</summary>
    public void Save(BinaryWriter writer)
    {
        Flush();
        writer.Write(Weight);
        writer.WriteAll<double>(_sum);
        writer.WriteAll<double>(_squares);
    }

    /// <summary>Becomes what was saved.</summary>
    public void Load(BinaryReader reader)
    {
        _pending = 0;
        Weight = reader.ReadDouble();
        reader.ReadAll<double>(_sum);
        reader.ReadAll<double>(_squares);
    }
}
