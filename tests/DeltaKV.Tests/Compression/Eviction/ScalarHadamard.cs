using System.Numerics;

namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>Rotated integers: a head's key, turned back by its slot or its position, or value, times the Hadamard matrix, in steps of its own per 16 bytes.</summary>
internal sealed class ScalarHadamard(int bits, double theta, bool knowsPositions = false) : IScalarCode
{
    public int Tokens => 16;

    public (double[][] Keys, double[][] Values) Decode(double[][] keys, double[][] values, int slot, int[] positions) => (
        [.. keys.Select((key, i) => Turned(Back(Turned(key, knowsPositions ? -positions[i] : -(slot + i))), knowsPositions ? positions[i] : slot + i))],
        Array.ConvertAll(values, Back));

    private double[] Back(double[] row)
    {
        var mixed = Mixed(Array.ConvertAll(row, number => (double)(Half)number));
        foreach (var chunk in Enumerable.Range(0, row.Length).Chunk(128 / bits))
        {
            var (low, high) = (chunk.Min(i => mixed[i]), chunk.Max(i => mixed[i]));
            var (step, zero) = ((double)(Half)((high - low) / ((1 << bits) - 1)), (double)(Half)low);
            foreach (var i in chunk)
                mixed[i] = zero + (step * Math.Clamp(Math.Round((mixed[i] - zero) / step), 0, (1 << bits) - 1));
        }

        return Mixed(mixed);
    }

    private static double[] Mixed(double[] row) => [.. Enumerable.Range(0, row.Length).Select(i =>
        row.Select((number, j) => BitOperations.PopCount((uint)(i & j)) % 2 == 0 ? number : -number).Sum() / Math.Sqrt(row.Length))];

    private double[] Turned(double[] row, int position)
    {
        var half = row.Length / 2;
        var turned = new double[row.Length];
        for (var i = 0; i < half; i++)
        {
            var (sine, cosine) = Math.SinCos(position * Math.Pow(theta, -2.0 * i / row.Length));
            turned[i] = (row[i] * cosine) - (row[i + half] * sine);
            turned[i + half] = (row[i + half] * cosine) + (row[i] * sine);
        }

        return turned;
    }
}
