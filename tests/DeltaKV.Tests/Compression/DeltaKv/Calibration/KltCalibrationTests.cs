using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;
using DeltaKV.Tests.Reference;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

public sealed class KltCalibrationTests
{
    private const int Dim = 16;
    private const int Tokens = 400;

    private static readonly AttentionGeometry Geometry = NewGeometry();

    [Fact]
    public void AllDimensionsTogetherReconstructExactly()
    {
        var transform = WeightedKlt.Solve(Statistics(1), 0.05, 0.5);
        var row = Rows(2).AsSpan(0, Geometry.Width).ToArray();
        var coordinates = transform.Encoder.Select(e => e.Select((w, j) => w * (row[j] - transform.Mean[j])).Sum()).ToArray();
        for (var j = 0; j < row.Length; j++)
            Assert.Equal(row[j], transform.Mean[j] + coordinates.Select((u, i) => u * transform.Decoder[i][j]).Sum(), 1e-6);
    }

    [Fact]
    public void CoordinatesAreUncorrelatedAndFallInVariance()
    {
        var transform = WeightedKlt.Solve(Statistics(1), 0.05, 0);
        var power = transform.Coordinates.Select(c => UniformQuantizer.ErrorOfNothing(c, transform.Weights)).ToArray();
        // Samples and covariance come from different draws of the same rows, so the order holds up to sampling noise.
        Assert.True(power.Take(8).Sum() > power.Skip(8).Take(8).Sum());
        var correlation = transform.Coordinates[0].Zip(transform.Coordinates[1], (a, b) => a * b).Average() / Math.Sqrt(power[0] * power[1]);
        Assert.InRange(Math.Abs(correlation), 0, 0.2);
    }

    [Fact]
    public void WhatQueriesLookAtIsKeptBetterThanPlainPrincipalComponentsKeepIt()
    {
        var statistics = Statistics(1);
        var metric = statistics.Metric();
        double WeightedError(LayerTransform transform)
        {
            const int kept = 10;
            var rows = Rows(3);
            var error = 0.0;
            for (var token = 0; token < Tokens; token++)
            {
                var row = rows.AsSpan(token * Geometry.Width, Geometry.Width).ToArray();
                var residual = row.Select((x, j) => x - transform.Mean[j]).ToArray();
                for (var i = 0; i < kept; i++)
                {
                    var u = transform.Encoder[i].Select((w, j) => w * (row[j] - transform.Mean[j])).Sum();
                    for (var j = 0; j < residual.Length; j++)
                        residual[j] -= u * transform.Decoder[i][j];
                }

                for (var block = 0; block < metric.Length; block++)
                {
                    for (var a = 0; a < Dim; a++)
                    {
                        for (var b = 0; b < Dim; b++)
                            error += residual[block * Dim + a] * metric[block][a * Dim + b] * residual[block * Dim + b];
                    }
                }
            }

            return error;
        }

        // A huge ridge drowns the metric: plain principal components.
        Assert.True(WeightedError(WeightedKlt.Solve(statistics, 0.001, 0)) < 0.8 * WeightedError(WeightedKlt.Solve(statistics, 1e6, 0)));
    }

    [Fact]
    public void MoreBytesLeaveLessError()
    {
        var statistics = Statistics(1);
        double Error(int bytes)
        {
            var codec = new KltCalibration { BytesPerToken = bytes }.Solve([null, statistics])[1]!;
            Assert.InRange(RecordLayout.Of(codec).Bytes, 0, bytes);
            var rows = Rows(4);
            var error = 0.0;
            for (var token = 0; token < 50; token++)
            {
                var row = rows.AsSpan(token * Geometry.Width, Geometry.Width).ToArray();
                error += row.Zip(ScalarCodecTests.RoundTrip(codec, row, []), (a, b) => (double)(a - b) * (a - b)).Sum();
            }

            return error;
        }

        Assert.True(Error(16) > 2 * Error(32));
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(1e9)]
    public void LatentsOfAnyMetricReconstruct(double ridge)
    {
        var codec = new LatentCalibration { Dimensions = 32, Width = ChunkWidth.Bits8, Ridge = ridge }.Solve([null, Statistics(1)])[1]!;
        var rows = Rows(4);
        var (error, norm) = (0.0, 0.0);
        for (var token = 0; token < 50; token++)
        {
            var row = rows.AsSpan(token * Geometry.Width, Geometry.Width).ToArray();
            error += row.Zip(ScalarCodecTests.RoundTrip(codec, row, []), (a, b) => (double)(a - b) * (a - b)).Sum();
            norm += row.Sum(a => (double)a * a);
        }

        // 32 latents hold everything; what is left is 8 bits per latent and halves.
        Assert.InRange(Math.Sqrt(error / norm), 0, 0.03);
    }

    [Fact]
    public void ResidualsAreWhatTheExactSearchLeaves()
    {
        const int width = 6, neighbours = 2;
        var options = new CodedKvOptions { Sinks = 16, ReferenceStride = 3 };
        var random = new SeededRandom(80);
        var rows = Enumerable.Range(0, 60 * width).Select(_ => (float)random.NextNormal()).ToArray();
        var residuals = ResidualRows.Of(rows, width, options, neighbours);
        int[] positions = [.. Enumerable.Range(16, 44).Where(p => ReferencePlan.IsReference(p - 16, 3))];
        float[] references = [.. positions.SelectMany(p => rows[(p * width)..((p + 1) * width)])];
        for (var token = 16; token < 60; token++)
        {
            var row = rows.AsSpan(token * width, width);
            var mean = ReferencePlan.Mean(references, ReferencePlan.Nearest(row, token, references, positions, positions.Contains(token) ? 1 : neighbours), width);
            for (var i = 0; i < width; i++)
                Assert.Equal(row[i] - mean[i], residuals[token * width + i], 1e-5f);
        }
    }

    [Fact]
    public void MergedStatisticsAreThoseOfBothDocuments()
    {
        var both = new LayerStatistics(Geometry, new SeededRandom(9), recent: 16);
        Add(both, 1);
        Add(both, 2);
        var merged = Statistics(1);
        merged.Merge(Statistics(2));
        var mean = both.Mean();
        Assert.All(both.Covariance(mean, 0.5).Zip(merged.Covariance(mean, 0.5)), p => Assert.Equal(p.First, p.Second, 1e-9));
        Assert.Equal(1, merged.Samples(0.5).Sum(s => s.Weight), 1e-9);
    }

    private static AttentionGeometry NewGeometry()
    {
        var random = new SeededRandom(60);
        return new AttentionGeometry(
            2, 1, Dim, 24, [.. Enumerable.Range(0, Dim / 2).Select(i => MathF.Pow(0.4f, i))],
            [.. Enumerable.Range(0, 24 * 2 * Dim).Select(_ => (float)(0.3 * random.NextNormal()))]);
    }

    private static LayerStatistics Statistics(int document)
    {
        var statistics = new LayerStatistics(Geometry, new SeededRandom(9), recent: 16);
        Add(statistics, document);
        return statistics;
    }

    private static void Add(LayerStatistics statistics, int document)
    {
        var random = new SeededRandom(70, document);
        int[] positions = [380, 390, 399];
        // Queries look at half of the key dimensions only.
        var queries = Enumerable.Range(0, positions.Length * 2 * Dim).Select(i => i % 4 < 2 ? (float)(3 * random.NextNormal()) : 0).ToArray();
        statistics.Add(Rows(document), queries, positions);
    }

    private static float[] Rows(int document)
    {
        var mixing = new SeededRandom(61);
        var matrix = Enumerable.Range(0, Geometry.Width * 12).Select(_ => mixing.NextNormal()).ToArray();
        var random = new SeededRandom(62, document);
        var rows = new float[Tokens * Geometry.Width];
        for (var token = 0; token < Tokens; token++)
        {
            var latent = Enumerable.Range(0, 12).Select(i => random.NextNormal() * Math.Pow(0.8, i)).ToArray();
            for (var j = 0; j < Geometry.Width; j++)
                rows[token * Geometry.Width + j] = (float)(0.5 + latent.Select((z, i) => z * matrix[j * 12 + i]).Sum() + 0.05 * random.NextNormal());
        }

        return rows;
    }
}
