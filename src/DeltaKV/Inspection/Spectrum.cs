using MathNet.Numerics.LinearAlgebra;

namespace DeltaKV.Inspection;

/// <summary>Variances of a cloud of vectors along its principal axes, largest first.</summary>
/// <param name="Variances">Not negative.</param>
internal sealed record Spectrum(IReadOnlyList<double> Variances)
{
    /// <summary>The sum of all: the mean squared distance from the mean.</summary>
    public double Total => Variances.Sum();

    /// <summary>How many axes the variance is spread over: e to the entropy of its shares.</summary>
    public double EffectiveRank => Total <= 0 ? 0 : Math.Exp(-Variances.Where(v => v > 0).Sum(v => v / Total * Math.Log(v / Total)));

    /// <summary>The spectrum of some vectors around their mean.</summary>
    public static Spectrum Of(IReadOnlyList<float[]> rows)
    {
        var (count, width) = (rows.Count, rows.Count == 0 ? 0 : rows[0].Length);
        if (count < 2)
            return new Spectrum([]);
        var mean = new double[width];
        foreach (var row in rows)
        {
            for (var i = 0; i < width; i++)
                mean[i] += row[i] / (double)count;
        }

        // Products of the vectors with each other have the same spectrum as those of the channels, and may be fewer.
        var centered = Matrix<double>.Build.Dense(count, width, (row, column) => rows[row][column] - mean[column]);
        var products = count < width ? centered * centered.Transpose() : centered.Transpose() * centered;
        var values = products.Evd(Symmetricity.Symmetric).EigenValues.Select(value => Math.Max(0, value.Real) / count);
        return new Spectrum([.. values.OrderDescending()]);
    }

    /// <summary>Axes that hold a share of the variance.</summary>
    public int AxesFor(double share)
    {
        var sum = 0.0;
        for (var i = 0; i < Variances.Count; i++)
        {
            sum += Variances[i];
            if (sum >= share * Total)
                return i + 1;
        }

        return Variances.Count;
    }

    /// <summary>Bits per vector, at least, to keep a Gaussian of this spectrum within a mean squared error: reverse water-filling.</summary>
    /// <remarks><c>sum over axes of max(0, log2(variance / level) / 2)</c>, with the level at which <c>sum min(variance, level)</c> is the error.</remarks>
    public double Bits(double error)
    {
        if (error >= Total || error <= 0)
            return 0;
        var (low, high) = (0.0, Variances[0]);
        for (var step = 0; step < 100; step++)
        {
            var level = (low + high) / 2;
            (low, high) = Variances.Sum(v => Math.Min(v, level)) < error ? (level, high) : (low, level);
        }

        return Variances.Where(v => v > high).Sum(v => Math.Log2(v / high) / 2);
    }
}
