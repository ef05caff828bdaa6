namespace DeltaKV.Benchmarks.Kernels;

/// <summary>Rows one after the other that have what kv of text has: words of very different frequency that come back, a topic that drifts, and variation in few directions.</summary>
internal sealed class KvLikeRows
{
    private const int Words = 4096;
    private const int Directions = 48;

    private readonly Random random;
    private readonly float[][] words;
    private readonly float[][] directions;
    private readonly float[] topic;
    private readonly float[] row;

    /// <param name="width">Elements of a row.</param>
    /// <param name="seed">What they depend on.</param>
    internal KvLikeRows(int width, int seed)
    {
        random = new Random(seed);
        words = [.. Enumerable.Range(0, Words).Select(_ => Vector(width, 1f))];
        // Falling importance, as the spectrum of kv falls.
        directions = [.. Enumerable.Range(0, Directions).Select(i => Vector(width, 1f / MathF.Sqrt(i + 1)))];
        topic = new float[width];
        row = new float[width];
    }

    /// <summary>Makes the next row.</summary>
    internal void Next()
    {
        // Word n is as likely as 1 / n.
        var word = words[(int)MathF.Exp(random.NextSingle() * MathF.Log(Words)) - 1];
        var drift = directions[random.Next(Directions)];
        var step = 0.2f * (random.NextSingle() - 0.5f);
        for (var i = 0; i < row.Length; i++)
        {
            topic[i] = (0.999f * topic[i]) + (step * drift[i]);
            row[i] = word[i] + topic[i];
        }

        for (var d = 0; d < 8; d++)
        {
            var direction = directions[random.Next(Directions)];
            var weight = random.NextSingle() - 0.5f;
            for (var i = 0; i < row.Length; i++)
                row[i] += weight * direction[i];
        }
    }

    /// <summary>Squared length of the row.</summary>
    internal double SquaredNorm() => row.Sum(value => (double)value * value);

    /// <summary>Writes the row as pairs of halves.</summary>
    internal void Write(uint[] target, int index)
    {
        for (var i = 0; i < row.Length / 2; i++)
        {
            target[(index * (row.Length / 2)) + i] = BitConverter.HalfToUInt16Bits((System.Half)row[2 * i])
                | ((uint)BitConverter.HalfToUInt16Bits((System.Half)row[(2 * i) + 1]) << 16);
        }
    }

    private float[] Vector(int width, float scale) => [.. Enumerable.Range(0, width).Select(_ => scale * ((2 * random.NextSingle()) - 1))];
}
