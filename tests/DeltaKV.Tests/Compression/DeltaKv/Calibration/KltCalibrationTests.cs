using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.DeltaKv;
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
            var codec = Solve(new() { Plan = new(), BytesPerToken = bytes }, [null, statistics])[1]!;
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
        var codec = new LatentCalibration { Plan = new() { Latents = 32, LatentWidth = ChunkWidth.Bits8, Ridge = ridge } }.Solve([null, Statistics(1)])[1]!;
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
    public void LatentsThatShareAStepAreAlike()
    {
        var statistics = Statistics(1);
        var transform = WeightedKlt.Solve(statistics, 0.1, 0);
        var group = new LatentCalibration { Plan = new() { Latents = 32, TokenWeighting = 0 } }.Solve([null, statistics])[1]!.Groups[0];
        var power = Enumerable.Range(0, 32).Select(i => transform.Coordinates[i].Average(u => u * u)).ToArray();
        var rows = Rows(1);
        var latents = Enumerable.Range(0, 32).Select(i => Enumerable.Range(0, Tokens).Average(token =>
            Math.Pow(Enumerable.Range(0, Geometry.Width).Sum(w => group.Down[(i * Geometry.Width) + w] * (rows[(token * Geometry.Width) + w] - transform.Mean[w])), 2))).ToArray();
        Assert.True(power.Max() / power.Average() > 4);
        Assert.True(latents.Max() / latents.Average() < 2.5);
    }

    [Fact]
    public void ResidualsAreWhatTheExactSearchLeaves()
    {
        const int width = 6, neighbours = 2;
        var options = new CodedKvOptions { Sinks = 16, ReferenceStride = 3 };
        var random = new SeededRandom(80);
        var rows = Enumerable.Range(0, 60 * width).Select(_ => (float)random.NextNormal()).ToArray();
        var residuals = ResidualRows.Of(rows, width, 3, options, neighbours);
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

    [Theory]
    [InlineData(8)]
    [InlineData(4)]
    public void AReferenceLeavesWhatItsRoundingLost(int bits)
    {
        var options = new CodedKvOptions { Sinks = 0, ReferenceStride = 1, ReferenceBits = bits };
        var random = new SeededRandom(81);
        var rows = Enumerable.Range(0, 5 * Geometry.Width).Select(_ => (float)random.NextNormal()).ToArray();
        var residuals = ResidualRows.Of(rows, Geometry.Width, Dim, options, 1);
        for (var part = 0; part < rows.Length; part += Dim)
        {
            var values = rows.AsSpan(part, Dim).ToArray();
            var step = (values.Max() - values.Min()) / ((1 << bits) - 1);
            // Half a step; step and zero are halves themselves, the zero off by up to a thousandth.
            Assert.All(residuals.AsSpan(part, Dim).ToArray(), residual => Assert.InRange(Math.Abs(residual), 0, (0.51f * step) + 0.006f));
            Assert.Contains(residuals.AsSpan(part, Dim).ToArray(), residual => Math.Abs(residual) > 0.1f * step);
        }
    }

    [Fact]
    public void WithoutAMetricErrorsAreSquares()
    {
        var transform = WeightedKlt.Solve(Statistics(1), 0, 0, SensitivityMetric.None);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(1, transform.Encoder[i].Sum(x => x * x), 1e-9);
            Assert.All(transform.Encoder[i].Zip(transform.Decoder[i]), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        }
    }

    [Fact]
    public void WhatAHeadDoesNotKeepLeavesMoreForTheOthers()
    {
        var random = new SeededRandom(83);
        var geometry = new AttentionGeometry(2, 2, Dim, 24, Geometry.InverseFrequencies, Normal(random, 24 * 2 * Dim));
        var rows = Normal(random, Tokens * geometry.Width);
        var statistics = new LayerStatistics(geometry, new SeededRandom(9), recent: 16);
        statistics.Add(rows, Normal(random, 3 * 2 * Dim), [380, 390, 399]);
        LinearCodec Codec(string? heads) => Solve(new() { Plan = new(), BytesPerToken = 16, Heads = heads is null ? null : HeadTable.Parse(heads) }, [null, statistics])[1]!;

        // Of the first head, keys and values.
        double Error(LinearCodec codec) => Enumerable.Range(20, 100).Sum(token =>
        {
            var row = rows.AsSpan(token * geometry.Width, geometry.Width).ToArray();
            var read = ScalarCodecTests.RoundTrip(codec, row, []);
            return Enumerable.Range(0, row.Length).Where(i => i / Dim % 2 == 0).Sum(i => Math.Pow(row[i] - read[i], 2));
        });

        var (all, some) = (Codec(null), Codec("cc/cw"));
        Assert.Equal(RecordLayout.Of(all).Bytes, RecordLayout.Of(some).Bytes);
        Assert.Equal(2UL, some.WindowHeads);
        Assert.True(Error(some) < 0.8 * Error(all), $"{Error(some)} of {Error(all)}");
    }

    [Fact]
    public void EqualAllocationGivesEveryLayerAsMuch()
    {
        var codecs = Solve(new() { Plan = new() { Allocation = ByteAllocation.Equal }, BytesPerToken = 48 }, [null, Statistics(1), Statistics(2)]);
        Assert.Equal([32, 16], codecs.Skip(1).Select(codec => RecordLayout.Of(codec!).Bytes));
    }

    [Fact]
    public void ReferencesAreUsedWhereRowsRepeat()
    {
        // Rows far apart from each other but each seen before: 16 bytes around the mean tell little, a reference nearly everything.
        const int dim = 64, kinds = 151, tokens = 3000;
        var random = new SeededRandom(82);
        var options = new CodedKvOptions { ReferenceStride = 2 };
        var geometry = new AttentionGeometry(1, 1, dim, 24, [.. Enumerable.Repeat(0.1f, dim / 2)], Normal(random, 24 * dim));
        var rows = Normal(random, tokens * geometry.Width);
        for (var token = kinds; token < tokens; token++)
        {
            for (var i = 0; i < geometry.Width; i++)
                rows[token * geometry.Width + i] = rows[(token - kinds) * geometry.Width + i];
        }

        var statistics = new LayerStatistics(geometry, new SeededRandom(9), recent: 16, residuals: true);
        statistics.Add(rows, Normal(random, 2 * dim), [tokens - 9, tokens - 1], ResidualRows.Of(rows, geometry.Width, dim, options, 1));
        int Neighbours(double referenceBytes) => Solve(
            new() { Plan = new() { References = ReferenceUse.Auto, Neighbours = 1 }, BytesPerToken = 16, ReferenceBytes = referenceBytes }, [null, statistics])[1]!.Neighbours;

        Assert.Equal(1, Neighbours(0));
        Assert.Equal(0, Neighbours(20));
    }

    [Fact]
    public void MergedStatisticsAreThoseOfBothDocuments()
    {
        var both = new LayerStatistics(Geometry, new SeededRandom(9), recent: 16);
        Add(both, 1);
        Add(both, 2);
        var merged = Statistics(1);
        merged.Merge(Statistics(2));
        var mean = both.Rows.Mean();
        Assert.All(both.Rows.Covariance(mean, 0.5).Zip(merged.Rows.Covariance(mean, 0.5)), p => Assert.Equal(p.First, p.Second, 1e-9));
        Assert.Equal(1, merged.Rows.Samples(0.5).Sum(s => s.Weight), 1e-9);
    }

    private static float[] Normal(SeededRandom random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.NextNormal())];

    private static LinearCodec?[] Solve(KltCalibration calibration, IReadOnlyList<LayerStatistics?> statistics) =>
        calibration.Choose(statistics, calibration.Candidates(calibration.Transforms(statistics)));

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
