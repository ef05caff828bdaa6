using DeltaKV.Gpu;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Tests.Kernels;

[Collection(KernelCollection.Name)]
public sealed class RopeAppendTests(KernelFixture device)
{
    [Theory]
    [InlineData(2, 1, 64, false)]
    [InlineData(8, 4, 64, true)]
    [InlineData(3, 3, 80, false)]
    [InlineData(4, 1, 96, true)]
    [InlineData(7, 1, 128, false)]
    public void RotatesAndAppends(int queryHeads, int keyHeads, int headDim, bool norms)
    {
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        Check<BFloat16, BFloat16x2, BFloat16Pairs>(shape, norms, 1f, Numbers.BFloat16s, value => value, 1e-5, Numbers.BFloat16Rounding);
    }

    [Theory]
    [InlineData(2, 1, 64, true)]
    [InlineData(2, 2, 80, false)]
    public void RotatesSingles(int queryHeads, int keyHeads, int headDim, bool norms)
    {
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        // The approximate sine is good to 2^-20; the angle itself to fp32 of its size, which the reference shares.
        Check<float, Float2, SinglePairs>(shape, norms, 1.25f, Numbers.Singles, value => value, 8e-6, 1e-6);
    }

    private delegate T[] NumberSource<T>(int seed, int count, float scale = 1f);

    private void Check<T, TPair, TPairs>(
        AttentionShape shape, bool norms, float scale, NumberSource<T> numbers, Func<T, float> widen, double absolute, double relative)
        where T : unmanaged
        where TPair : unmanaged
        where TPairs : struct, IPairs<TPair>
    {
        int[] sequences = [1, 0, 0, 2, 1];
        int[] positions = [70, 0, 63, 130_000 % 8192, -1];
        using var cache = new PagedCache<T>(device, shape, [64, 71, 8192], 5, (seed, count) => numbers(seed, count));
        var qkv = numbers(1, positions.Length * shape.QkvWidth);
        var inverse = Enumerable.Range(0, shape.HeadDim / 2).Select(i => (float)Math.Pow(500_000, -2.0 * i / shape.HeadDim)).ToArray();
        var queryNorm = numbers(2, shape.HeadDim);
        var keyNorm = numbers(3, shape.HeadDim);
        using var qkvs = device.Upload(qkv);
        using var sequenceIds = device.Upload(sequences);
        using var positionIds = device.Upload(positions);
        using var frequencies = device.Upload(inverse);
        using var queryNorms = device.Upload(queryNorm);
        using var keyNorms = device.Upload(keyNorm);
        var rope = new RopeWeights<T>(
            frequencies.View, scale, norms ? queryNorms.View.BaseView : default, norms ? keyNorms.View.BaseView : default, 1e-6f);

        new RopeAppendKernel<T, TPair, TPairs>(device.Accelerator).Launch(
            device.Stream, qkvs.View, new TokenRows(sequenceIds.View, positionIds.View), cache.Blocks, rope, shape, positions.Length);

        device.Stream.Synchronize();
        var after = qkvs.GetAsArray1D();
        var (keys, values) = cache.Download();
        var expectedKeys = (T[])cache.Keys.Clone();
        for (var row = 0; row < positions.Length; row++)
        {
            for (var head = 0; head < shape.QueryHeads + (2 * shape.KeyHeads); head++)
            {
                var at = (row * shape.QkvWidth) + (head * shape.HeadDim);
                var before = qkv.AsSpan(at, shape.HeadDim).ToArray();
                var now = after.AsSpan(at, shape.HeadDim).ToArray();
                if (head >= shape.QueryHeads || positions[row] < 0)
                    Assert.Equal(before, now);
                if (positions[row] < 0)
                    continue;
                var keyHead = (head - shape.QueryHeads) % shape.KeyHeads;
                var slot = head < shape.QueryHeads ? 0 : cache.Index(sequences[row], positions[row], keyHead);
                if (head >= shape.QueryHeads + shape.KeyHeads)
                {
                    Assert.Equal(before, values.AsSpan(slot, shape.HeadDim).ToArray());
                    continue;
                }

                var isQuery = head < shape.QueryHeads;
                var source = Array.ConvertAll(before, value => widen(value));
                var expected = Rotate(source, norms ? Array.ConvertAll(isQuery ? queryNorm : keyNorm, value => widen(value)) : null, inverse, positions[row], scale);
                var actual = isQuery ? now : keys.AsSpan(slot, shape.HeadDim).ToArray();
                Numbers.AssertClose(expected, Array.ConvertAll(actual, value => widen(value)), absolute, relative, $"row {row} head {head}");
                if (!isQuery)
                    actual.CopyTo(expectedKeys.AsSpan(slot));
            }
        }

        Assert.Equal(System.Runtime.InteropServices.MemoryMarshal.AsBytes(expectedKeys.AsSpan()), System.Runtime.InteropServices.MemoryMarshal.AsBytes(keys.AsSpan()));
    }

    private static double[] Rotate(float[] x, float[]? norm, float[] inverse, int position, float scale)
    {
        var half = x.Length / 2;
        var values = Array.ConvertAll(x, value => (double)value);
        if (norm is not null)
        {
            var factor = 1 / Math.Sqrt((values.Sum(value => value * value) / x.Length) + 1e-6f);
            values = [.. values.Select((value, i) => value * factor * norm[i])];
        }

        var result = new double[x.Length];
        for (var i = 0; i < half; i++)
        {
            var angle = (double)(position * inverse[i]);
            result[i] = ((values[i] * Math.Cos(angle)) - (values[i + half] * Math.Sin(angle))) * scale;
            result[i + half] = ((values[i + half] * Math.Cos(angle)) + (values[i] * Math.Sin(angle))) * scale;
        }

        return result;
    }
}
