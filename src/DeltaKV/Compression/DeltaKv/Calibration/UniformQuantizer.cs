using System.Numerics;
using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Fits the step of a uniform quantiser to samples and says what error it leaves.</summary>
internal static class UniformQuantizer
{
    private const int Candidates = 24;

    /// <summary>The error of storing nothing: the samples' weighted mean square.</summary>
    public static double ErrorOfNothing(ReadOnlySpan<double> samples, ReadOnlySpan<double> weights)
    {
        var sum = 0.0;
        for (var i = 0; i < samples.Length; i++)
            sum += weights[i] * samples[i] * samples[i];
        return sum;
    }

    /// <summary>The stored integer of a value given in steps: what the codes of <see cref="CodeScales.Static"/> hold.</summary>
    public static int Code(double steps, ChunkWidth width) => width switch
    {
        ChunkWidth.Bits8 => (int)Math.Clamp(Math.Round(steps) + 128, 0, 255),
        ChunkWidth.Bits4 => (int)Math.Clamp(Math.Round(steps) + 8, 0, 15),
        ChunkWidth.Bits3 => (int)Math.Clamp(Math.Round(steps) + 4, 0, 7),
        _ => (int)Math.Clamp(Math.Round(steps + 1.5), 0, 3),
    };

    /// <summary>The value, in steps, that a stored integer stands for.</summary>
    public static double Value(int code, ChunkWidth width) => width switch
    {
        ChunkWidth.Bits8 => code - 128,
        ChunkWidth.Bits4 => code - 8,
        ChunkWidth.Bits3 => code - 4,
        _ => code - 1.5,
    };

    /// <summary>The step of least weighted square error at a width, widened by <paramref name="headroom"/>.</summary>
    /// <remarks>
    /// Ranges that cut off rare large values cost more than the finer step wins, because what is rare is what gets asked for; the samples'
    /// weights carry that, and the headroom covers values larger than any sample.
    /// </remarks>
    public static QuantizerFit Fit(ReadOnlySpan<double> samples, ReadOnlySpan<double> weights, ChunkWidth width, double headroom)
    {
        var largest = 0.0;
        foreach (var sample in samples)
            largest = Math.Max(largest, Math.Abs(sample));
        if (largest == 0)
            return new QuantizerFit(1, 0);
        var largestStep = largest / Value((1 << (int)width) - 1, width);
        var best = new QuantizerFit(largestStep, double.PositiveInfinity);
        for (var candidate = 0; candidate < Candidates; candidate++)
        {
            var step = largestStep * Math.Pow(0.9, candidate);
            var error = Error(samples, weights, step, width);
            if (error < best.Error)
                best = new QuantizerFit(step, error);
        }

        return new QuantizerFit(best.Step * headroom, Error(samples, weights, best.Step * headroom, width));
    }

    private static double Error(ReadOnlySpan<double> samples, ReadOnlySpan<double> weights, double step, ChunkWidth width)
    {
        var (lowest, span) = (Value(0, width), (1 << (int)width) - 1);
        var (sum, lanes, i) = (Vector<double>.Zero, Vector<double>.Count, 0);
        for (; i <= samples.Length - lanes; i += lanes)
        {
            var sample = new Vector<double>(samples[i..]);
            var code = Vector.Min(Vector.Max(Vector.Round((sample / step) - new Vector<double>(lowest)), Vector<double>.Zero), new Vector<double>(span));
            var error = sample - (step * (code + new Vector<double>(lowest)));
            sum += new Vector<double>(weights[i..]) * error * error;
        }

        var result = Vector.Sum(sum);
        for (; i < samples.Length; i++)
        {
            var error = samples[i] - (step * Value(Code(samples[i] / step, width), width));
            result += weights[i] * error * error;
        }

        return result;
    }
}
