using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>The Karhunen-Loeve transform of kv in the metric of what attention notices.</summary>
/// <remarks>
/// With the metric <c>M = L L^T</c> (block by block), <c>y = L^T (kv - mean)</c> has plain squared error where kv has the weighted one. The
/// eigenvectors U of y's covariance decorrelate it: coordinates <c>U^T y</c>, decoded by <c>kv = mean + L^-T U u</c>. A small multiple of the
/// mean diagonal is added to every block so that what no calibration query looked at is not thrown away altogether.
/// </remarks>
internal static class WeightedKlt
{
    /// <summary>Solves for one layer.</summary>
    /// <param name="statistics">The layer's statistics.</param>
    /// <param name="ridge">Share of the metric's mean diagonal added to its diagonal.</param>
    /// <param name="tokenWeighting">Share of the covariance that is weighted by token sensitivity.</param>
    /// <param name="kind">What errors are measured by.</param>
    /// <param name="ofResiduals">Whether what references leave is coded; it has no mean.</param>
    /// <param name="apart">KV heads that are not coded with the others, a bit each: the transform does not see them.</param>
    public static LayerTransform Solve(
        LayerStatistics statistics, double ridge, double tokenWeighting, SensitivityMetric kind = SensitivityMetric.Attention, bool ofResiduals = false, ulong apart = 0)
    {
        var rowStatistics = ofResiduals
            ? statistics.Residuals ?? throw new InvalidOperationException("Residuals were not gathered.")
            : statistics.Rows;
        var (width, dim) = (statistics.Geometry.Width, statistics.Geometry.HeadDim);
        var mean = ofResiduals ? new double[width] : rowStatistics.Mean();
        var factors = Factors(kind == SensitivityMetric.Attention ? statistics.Metric() : Identity(2 * statistics.Geometry.KvHeads, dim), dim, ridge);
        var vectors = SymmetricEigen.Solve(Turned(Without(rowStatistics.Covariance(mean, tokenWeighting), width, IsApart), factors, width, dim), width).Vectors;
        var (encoder, decoder) = (new double[width][], new double[width][]);
        Parallel.For(0, width, i =>
        {
            var vector = vectors.AsSpan(i * width, width);
            (encoder[i], decoder[i]) = (new double[width], new double[width]);
            for (var at = 0; at < width; at += dim)
            {
                var (factor, inverse) = factors[at / dim];
                for (var k = 0; k < dim; k++)
                {
                    TensorPrimitives.MultiplyAdd<double>(factor.AsSpan(k * dim, dim), vector[at + k], encoder[i].AsSpan(at, dim), encoder[i].AsSpan(at, dim));
                    TensorPrimitives.MultiplyAdd<double>(inverse.AsSpan(k * dim, dim), vector[at + k], decoder[i].AsSpan(at, dim), decoder[i].AsSpan(at, dim));
                }
            }
        });
        var samples = rowStatistics.Samples(tokenWeighting);
        return new LayerTransform(ofResiduals, mean, encoder, decoder, Coordinates(samples, mean, encoder, IsApart), [.. samples.Select(s => s.Weight)]);

        bool IsApart(int element) => (apart >> (element / dim % statistics.Geometry.KvHeads) & 1) != 0;
    }

    /// <summary>What does not vary takes no dimension.</summary>
    private static double[] Without(double[] covariance, int width, Func<int, bool> isApart)
    {
        for (var i = 0; i < covariance.Length; i++)
            covariance[i] = isApart(i / width) || isApart(i % width) ? 0 : covariance[i];
        return covariance;
    }

    /// <summary><c>L^T</c> and <c>L^-1</c> of every block, row-major.</summary>
    private static (double[] Factor, double[] Inverse)[] Factors(double[][] metric, int dim, double ridge)
    {
        var half = metric.Length / 2;
        var means = new[] { MeanDiagonal(metric.AsSpan(..half), dim), MeanDiagonal(metric.AsSpan(half..), dim) };
        return [.. metric.Select((block, b) =>
        {
            var matrix = Matrix<double>.Build.DenseOfRowMajor(dim, dim, block);
            var floor = Math.Max(ridge * means[b / half], double.Epsilon * 1e20);
            for (var i = 0; i < dim; i++)
                matrix[i, i] += floor;
            var lower = matrix.Cholesky().Factor;
            // Column-major storage of a matrix is row-major storage of its transpose.
            return (lower.ToColumnMajorArray(), lower.Inverse().ToRowMajorArray());
        })];
    }

    /// <summary><c>L^T C L</c>, block by block.</summary>
    private static double[] Turned(double[] covariance, (double[] Factor, double[] Inverse)[] factors, int width, int dim)
    {
        var (left, result) = (new double[covariance.Length], new double[covariance.Length]);
        // Rows first; then, the covariance being symmetric, the same to the rows of the transpose.
        Mix(covariance, left);
        for (var i = 0; i < width; i++)
        {
            for (var j = 0; j < i; j++)
                (left[(i * width) + j], left[(j * width) + i]) = (left[(j * width) + i], left[(i * width) + j]);
        }

        Mix(left, result);
        return result;

        void Mix(double[] from, double[] to) => Parallel.For(0, width, row =>
        {
            var (at, factor) = (row / dim * dim, factors[row / dim].Factor);
            var target = to.AsSpan(row * width, width);
            for (var k = row - at; k < dim; k++)
                TensorPrimitives.MultiplyAdd(from.AsSpan((at + k) * width, width), factor[((row - at) * dim) + k], target, target);
        });
    }

    private static double[][] Coordinates((float[] Row, double Weight)[] samples, double[] mean, double[][] encoder, Func<int, bool> isApart)
    {
        var rows = Array.ConvertAll(samples, sample =>
        {
            var row = new double[mean.Length];
            TensorPrimitives.ConvertSaturating<float, double>(sample.Row, row);
            TensorPrimitives.Subtract<double>(row, mean, row);
            for (var i = 0; i < row.Length; i++)
                row[i] = isApart(i) ? 0 : row[i];
            return row;
        });
        var result = new double[encoder.Length][];
        Parallel.For(0, result.Length, i => result[i] = Array.ConvertAll(rows, row => TensorPrimitives.Dot<double>(encoder[i], row)));
        return result;
    }

    private static double[][] Identity(int blocks, int dim) => [.. Enumerable.Range(0, blocks).Select(_ =>
    {
        var block = new double[dim * dim];
        for (var i = 0; i < dim; i++)
            block[i * dim + i] = 1;
        return block;
    })];

    private static double MeanDiagonal(ReadOnlySpan<double[]> blocks, int dim)
    {
        var sum = 0.0;
        foreach (var block in blocks)
        {
            for (var i = 0; i < dim; i++)
                sum += block[i * dim + i];
        }

        return sum / (blocks.Length * dim);
    }
}
