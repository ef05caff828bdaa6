using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Engine;
using DeltaKV.Tests.Reference;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

public sealed class DeviceCalibrationModelTests
{
    [Fact]
    public void TheDeviceShowsWhatTheReferenceTransformerShows()
    {
        int[] tokens = [.. Enumerable.Range(0, 40).Select(i => 6 + 97 * i % 4000)];
        int[] positions = [3, 17, 39];
        var expected = new Dictionary<int, (float[] Rows, float[] Queries)>();
        var reference = new ReferenceCalibrationModel(TestModels.Needle, ReferenceTransformer.Load(TestModels.Needle));
        reference.Read(tokens, positions, (layer, rows, queries) => expected[layer] = (rows.ToArray(), queries.ToArray()));

        using var device = new DeviceCalibrationModel(
            TestModels.Needle, new EngineOptions { Device = ComputeDevice.Cpu, MaxModelLength = 64, MaxSequences = 1, MaxBatchTokens = 24 });
        Assert.Equal(reference.Fingerprint, device.Fingerprint);
        Assert.Equal(reference.Geometry(5).OutputProjection, device.Geometry(5).OutputProjection);
        var seen = new List<int>();
        device.Read(tokens, positions, (layer, rows, queries) =>
        {
            seen.Add(layer);
            // bf16 activations through up to eight layers: a few parts in a hundred of a row's length.
            Assert.InRange(RelativeError(expected[layer].Rows, rows.Span), 0, 0.05);
            Assert.InRange(RelativeError(expected[layer].Queries, queries.Span), 0, 0.05);
        });
        Assert.Equal(Enumerable.Range(0, 8), seen);
    }

    [Fact]
    public void WhatIsSeenOfAnAnswerIsWhatReadingItShows()
    {
        using var device = new DeviceCalibrationModel(
            TestModels.Needle, new EngineOptions { Device = ComputeDevice.Cpu, MaxModelLength = 96, MaxSequences = 1, MaxBatchTokens = 24 });
        int[] prompt = [.. Enumerable.Range(0, 40).Select(i => 6 + 97 * i % 4000)];
        var seen = new List<(float[] Rows, float[] Queries)>();
        var answer = device.Answer(prompt, 5, 8, (_, rows, queries) => seen.Add((rows.ToArray(), queries.ToArray())));

        Assert.InRange(answer.Length, 0, 5);
        int[] all = [.. prompt, .. answer];
        device.Read(all, [.. Enumerable.Range(32, all.Length - 32)], (layer, rows, queries) =>
        {
            // Steps of other sizes sum in another order.
            Assert.InRange(RelativeError(rows.ToArray(), seen[layer].Rows), 0, 0.02);
            Assert.InRange(RelativeError(queries.ToArray(), seen[layer].Queries), 0, 0.02);
        });
        Assert.Equal(8, seen.Count);
    }

    private static double RelativeError(float[] expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var (error, norm) = (0.0, 0.0);
        for (var i = 0; i < expected.Length; i++)
        {
            error += ((double)expected[i] - actual[i]) * ((double)expected[i] - actual[i]);
            norm += (double)expected[i] * expected[i];
        }

        return Math.Sqrt(error / norm);
    }
}
