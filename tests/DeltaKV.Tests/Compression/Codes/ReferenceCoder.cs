using DeltaKV.Compression.Codes;
using DeltaKV.Tests.Reference;

namespace DeltaKV.Tests.Compression.Codes;

/// <summary>The stored format in plain C# and double: what a record says, and what an encoder should have written.</summary>
internal sealed class ReferenceCoder(LinearCodec codec)
{
    private readonly RecordLayout layout = RecordLayout.Of(codec);
    private readonly RecordBits bits = new(codec);

    /// <summary>The reference ids of a record.</summary>
    internal int[] Ids(ReadOnlySpan<uint> record)
    {
        var ids = new int[codec.Neighbours];
        for (var n = 0; n < ids.Length; n++)
            ids[n] = (int)((record[layout.IdWord + (n / 2)] >> (16 * (n % 2))) & 0xffff);
        return ids;
    }

    /// <summary>Mean and offset plus decoded residual, without references.</summary>
    internal double[] Decode(ReadOnlySpan<uint> record)
    {
        var kv = codec.Mean.Select((mean, i) => (double)mean + (codec.Offset?[i] ?? 0f)).ToArray();
        var (chunk, scale) = (0, 0);
        for (var g = 0; g < codec.Groups.Length; g++)
        {
            var group = codec.Groups[g];
            var values = new List<double>();
            foreach (var width in group.Chunks)
                values.AddRange(Values(record, chunk++, width, ref scale));
            var terms = Terms(g, [.. values]);
            for (var term = 0; term < terms.Length; term++)
            {
                for (var w = 0; w < group.Length; w++)
                    kv[group.Start + w] += codec.DecoderOf((group.Start + w) / codec.HeadDim) == g ? terms[term] * Half(group.Up[(term * group.Length) + w]) : 0;
            }
        }

        return kv;
    }

    /// <summary>What a group's up matrix is multiplied with: the dimensions, or what the decoder's hidden layer makes of them.</summary>
    internal double[] Terms(int group, double[] dimensions) => codec.Groups[group].Decoder is { } decoder ? Features(decoder, dimensions) : dimensions;

    /// <summary>The dimensions of a residual before quantisation, group by group.</summary>
    internal double[] Project(double[] residual)
    {
        var result = new List<double>();
        foreach (var group in codec.Groups)
        {
            for (var i = 0; i < group.Dimensions; i++)
            {
                var sum = 0.0;
                for (var w = 0; w < group.Length; w++)
                    sum += Half(group.Down[(i * group.Length) + w]) * Half((float)residual[group.Start + w]);
                result.Add(sum);
            }
        }

        return [.. result];
    }

    /// <summary>The dimensions of <c>f(kv) - f(reference)</c> before quantisation, group by group.</summary>
    internal double[] Project(double[] kv, double[] reference)
    {
        if (codec.FeatureCount == 0)
            return Project([.. kv.Zip(reference, (a, b) => a - b)]);
        var result = new List<double>();
        foreach (var group in codec.Groups)
        {
            var (own, other) = (Features(group.Features!, kv[group.Start..(group.Start + group.Length)]), Features(group.Features!, reference[group.Start..(group.Start + group.Length)]));
            for (var i = 0; i < group.Dimensions; i++)
            {
                var sum = 0.0;
                for (var f = 0; f < own.Length; f++)
                    sum += Half(group.Down[(i * own.Length) + f]) * (own[f] - other[f]);
                result.Add(sum);
            }
        }

        return [.. result];
    }

    /// <summary>What a record stores of every dimension, and the largest error its quantiser may make.</summary>
    internal (double[] Values, double[] Tolerances) Stored(ReadOnlySpan<uint> record, double[] projected)
    {
        var (values, tolerances) = (new List<double>(), new List<double>());
        var (chunk, scale) = (0, 0);
        foreach (var width in codec.Groups.SelectMany(group => group.Chunks))
        {
            var step = width == ChunkWidth.Bits16 ? 0 : Scale(record, width, scale).Step;
            foreach (var value in Values(record, chunk++, width, ref scale))
            {
                var u = projected[values.Count];
                var limit = width == ChunkWidth.Bits2 ? 1.5 : (1 << ((int)width - 1)) - 1;
                // Static ranges clip; the rest is half a step, and the fp16 rounding of step, zero and sums.
                var clipped = codec.Scales == CodeScales.Static && width != ChunkWidth.Bits16 ? Math.Max(0, Math.Abs(u) - limit) : 0;
                values.Add(value);
                tolerances.Add((0.5 * step) + clipped + 2e-2 + (2e-3 * Math.Abs(u)));
            }
        }

        return ([.. values], [.. tolerances]);
    }

    private static double[] Features(KvFeatures features, double[] x)
    {
        var rows = new double[features.Rows];
        for (var row = 0; row < rows.Length; row++)
        {
            rows[row] = features.Bias[row];
            for (var w = 0; w < x.Length; w++)
                rows[row] += Half(features.Weight[(row * x.Length) + w]) * x[w];
        }

        return [.. Enumerable.Range(0, features.Count).Select(i => features.Activation == FeatureActivation.SwiGlu
            ? ScalarNetwork.Silu(rows[i]) * rows[features.Count + i]
            : ScalarNetwork.Gelu(rows[i]))];
    }

    private static double Half(float value) => (double)(System.Half)value;

    private (double Step, double Zero) Scale(ReadOnlySpan<uint> record, ChunkWidth width, int scale)
    {
        if (codec.Scales == CodeScales.Static)
            return (1, width == ChunkWidth.Bits2 ? -1.5 : -(1 << ((int)width - 1)));
        var word = record[layout.ScaleWord + (codec.Scales == CodeScales.PerChunk ? scale : 0)];
        return ((double)BitConverter.UInt16BitsToHalf((ushort)word), (double)BitConverter.UInt16BitsToHalf((ushort)(word >> 16)));
    }

    private double[] Values(ReadOnlySpan<uint> record, int chunk, ChunkWidth width, ref int scale)
    {
        var values = new double[CodeGroup.DimensionsOf(width)];
        var (step, zero) = width == ChunkWidth.Bits16 ? (1, 0) : Scale(record, width, scale);
        scale += width == ChunkWidth.Bits16 ? 0 : 1;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = width == ChunkWidth.Bits16
                ? (double)BitConverter.UInt16BitsToHalf((ushort)(record[(4 * chunk) + (i / 2)] >> (16 * (i % 2))))
                : (step * bits.Read(record, chunk, width, i)) + zero;
        }

        return values;
    }
}
