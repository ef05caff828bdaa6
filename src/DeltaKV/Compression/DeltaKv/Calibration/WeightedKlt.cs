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
    public static LayerTransform Solve(
        LayerStatistics statistics, double ridge, double tokenWeighting, SensitivityMetric kind = SensitivityMetric.Attention, bool ofResiduals = false)
    {
        var rowStatistics = ofResiduals
            ? statistics.Residuals ?? throw new InvalidOperationException("Residuals were not gathered.")
            : statistics.Rows;
        var (width, dim) = (statistics.Geometry.Width, statistics.Geometry.HeadDim);
        var mean = ofResiduals ? new double[width] : rowStatistics.Mean();
        var covariance = Matrix<double>.Build.DenseOfRowMajor(width, width, rowStatistics.Covariance(mean, tokenWeighting));
        var metric = kind == SensitivityMetric.Attention ? statistics.Metric() : Identity(2 * statistics.Geometry.KvHeads, dim);
        var half = metric.Length / 2;
        var factor = Matrix<double>.Build.Dense(width, width);
        var inverse = Matrix<double>.Build.Dense(width, width);
        var floors = new[] { MeanDiagonal(metric.AsSpan(..half), dim), MeanDiagonal(metric.AsSpan(half..), dim) };
        for (var block = 0; block < metric.Length; block++)
        {
            var matrix = Matrix<double>.Build.DenseOfRowMajor(dim, dim, metric[block]);
            var floor = Math.Max(ridge * floors[block / half], double.Epsilon * 1e20);
            for (var i = 0; i < dim; i++)
                matrix[i, i] += floor;
            var lower = matrix.Cholesky().Factor;
            factor.SetSubMatrix(block * dim, block * dim, lower.Transpose());
            inverse.SetSubMatrix(block * dim, block * dim, lower.Inverse().Transpose());
        }

        var eigen = (factor * covariance * factor.Transpose()).Evd(Symmetricity.Symmetric);
        var order = Enumerable.Range(0, width).OrderByDescending(i => eigen.EigenValues[i].Real).ToArray();
        var vectors = Matrix<double>.Build.DenseOfColumnVectors(order.Select(i => eigen.EigenVectors.Column(i)));
        var encoder = (vectors.Transpose() * factor).ToRowArrays();
        var decoder = (inverse * vectors).Transpose().ToRowArrays();
        var samples = rowStatistics.Samples(tokenWeighting);
        var rows = Matrix<double>.Build.Dense(width, samples.Length, (i, s) => samples[s].Row[i] - mean[i]);
        var coordinates = (vectors.Transpose() * (factor * rows)).ToRowArrays();
        return new LayerTransform(ofResiduals, mean, encoder, decoder, coordinates, [.. samples.Select(s => s.Weight)]);
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
