using System.Numerics.Tensors;

namespace DeltaKV.Inspection;

/// <summary>Root mean square and range of every channel of a stream of vectors.</summary>
internal sealed class ChannelStatistics(int width)
{
    /// <summary>Times the median of all channels at which one stands out.</summary>
    public const double OutlierFactor = 3;

    private readonly float[] least = [.. Enumerable.Repeat(float.PositiveInfinity, width)];
    private readonly float[] greatest = [.. Enumerable.Repeat(float.NegativeInfinity, width)];
    private readonly double[] squares = new double[width];
    private long count;

    /// <summary>Adds one vector.</summary>
    public void Add(ReadOnlySpan<float> vector)
    {
        TensorPrimitives.Min(least, vector, least);
        TensorPrimitives.Max(greatest, vector, greatest);
        for (var i = 0; i < width; i++)
            squares[i] += (double)vector[i] * vector[i];
        count++;
    }

    /// <summary>What was seen.</summary>
    public ChannelSummary Summary()
    {
        var rms = squares.Select(s => Math.Sqrt(s / Math.Max(1, count))).ToArray();
        var median = rms.Order().ElementAt(width / 2);
        return new ChannelSummary(
            [.. rms.Select(Rounded)], [.. least.Select(v => Rounded(v))], [.. greatest.Select(v => Rounded(v))],
            [.. Enumerable.Range(0, width).Where(i => rms[i] > OutlierFactor * median)]);
    }

    private static double Rounded(double value) => double.IsFinite(value) ? Math.Round(value, 4) : 0;
}
