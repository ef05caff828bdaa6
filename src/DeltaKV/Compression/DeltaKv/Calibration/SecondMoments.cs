using System.Numerics.Tensors;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Weighted mean and covariance of a stream of vectors, in double.</summary>
internal sealed class SecondMoments(int width)
{
    private readonly double[] _sum = new double[width];
    private readonly double[] _squares = new double[width * width];
    private readonly double[] _row = new double[width];

    /// <summary>Sum of the weights so far.</summary>
    public double Weight { get; private set; }

    /// <summary>Adds one vector.</summary>
    public void Add(ReadOnlySpan<float> vector, double weight = 1)
    {
        TensorPrimitives.ConvertSaturating(vector, _row);
        Weight += weight;
        TensorPrimitives.MultiplyAdd(_row, weight, _sum, _sum);
        for (var i = 0; i < width; i++)
        {
            // Upper triangle only; the matrix is symmetric.
            var target = _squares.AsSpan(i * width + i, width - i);
            TensorPrimitives.MultiplyAdd(_row.AsSpan(i), weight * _row[i], target, target);
        }
    }

    /// <summary>Adds everything another instance has seen.</summary>
    public void Merge(SecondMoments other)
    {
        Weight += other.Weight;
        TensorPrimitives.Add(_sum, other._sum, _sum);
        TensorPrimitives.Add(_squares, other._squares, _squares);
    }

    /// <summary>The weighted mean; zeros before the first vector.</summary>
    public double[] Mean() => [.. _sum.Select(s => Weight > 0 ? s / Weight : 0)];

    /// <summary><c>E[(x - center)(x - center)^T]</c>, full matrix, row-major.</summary>
    public double[] Covariance(ReadOnlySpan<double> center)
    {
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
}
