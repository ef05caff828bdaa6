using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

/// <summary>The metric is compared with what attention really does when one cached number moves a little.</summary>
public sealed class AttentionSensitivityTests
{
    private const int Dim = 8;
    private const int Hidden = 12;
    private const int Tokens = 6;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void TheMetricPredictsSmallErrors(int groupSize)
    {
        var random = new SeededRandom(51, groupSize);
        float[] Values(int count, double scale) => [.. Enumerable.Range(0, count).Select(_ => (float)(scale * random.NextNormal()))];
        var geometry = new AttentionGeometry(
            groupSize, 1, Dim, Hidden, [1f, 0.3f, 0.1f, 0.03f], Values(Hidden * groupSize * Dim, 0.4));
        var rows = Values(Tokens * 2 * Dim, 1);
        var query = Values(groupSize * Dim, 1);
        var sensitivity = new AttentionSensitivity(geometry, sinks: 0, recent: 0);
        // The last token is the query's own and too recent to be coded.
        sensitivity.Add(rows, query, [Tokens - 1]);
        var metric = sensitivity.Metric();

        // The expected squared change of the output under unit noise in one direction, summed over tokens, head by head.
        for (var direction = 0; direction < 2 * Dim; direction++)
        {
            var measured = 0.0;
            for (var token = 0; token < Tokens - 1; token++)
            {
                for (var head = 0; head < groupSize; head++)
                {
                    const double step = 1e-4;
                    var up = Output(geometry, rows, query, head, token, direction, step);
                    var down = Output(geometry, rows, query, head, token, direction, -step);
                    measured += up.Zip(down, (a, b) => (a - b) / (2 * step)).Sum(d => d * d);
                }
            }

            var predicted = metric[direction / Dim][direction % Dim * Dim + direction % Dim];
            Assert.Equal(measured, predicted, 1e-3 * (1 + measured));
        }
    }

    [Fact]
    public void SinksAndRecentTokensDoNotCount()
    {
        var geometry = new AttentionGeometry(1, 1, Dim, Hidden, [1f, 0.3f, 0.1f, 0.03f], [.. Enumerable.Repeat(0.1f, Hidden * Dim)]);
        var weights = new AttentionSensitivity(geometry, sinks: 2, recent: 2)
            .Add(Enumerable.Range(0, Tokens * 2 * Dim).Select(i => MathF.Sin(i)).ToArray(), new float[Dim], [Tokens - 1]);
        Assert.Equal([false, false, true, false, false, false], weights.Select(w => w > 0));
    }

    [Fact]
    public void MergingIsTheSameAsAddingBoth()
    {
        var random = new SeededRandom(52);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.NextNormal())];
        var geometry = new AttentionGeometry(1, 1, Dim, Hidden, [1f, 0.3f, 0.1f, 0.03f], Values(Hidden * Dim));
        var (rows, first, second) = (Values(Tokens * 2 * Dim), Values(Dim), Values(Dim));
        var both = new AttentionSensitivity(geometry, 0, 0);
        both.Add(rows, (float[])[.. first, .. second], [4, 5]);
        var merged = new AttentionSensitivity(geometry, 0, 0);
        merged.Add(rows, first, [4]);
        var other = new AttentionSensitivity(geometry, 0, 0);
        other.Add(rows, second, [5]);
        merged.Merge(other);
        Assert.All(both.Metric().SelectMany(m => m).Zip(merged.Metric().SelectMany(m => m)), p => Assert.Equal(p.First, p.Second, 1e-9));
    }

    /// <summary>What a layer says with and without history, in double; a query that is all window loses nothing.</summary>
    [Theory]
    [InlineData(16)]
    [InlineData(50)]
    [InlineData(200)]
    public void WhatAHeadLosesWithoutHistoryIsMeasured(int recent)
    {
        const int tokens = 90, sinks = 4, heads = 4;
        var random = new SeededRandom(53);
        float[] Values(int count, double scale) => [.. Enumerable.Range(0, count).Select(_ => (float)(scale * random.NextNormal()))];
        var geometry = new AttentionGeometry(heads, 2, Dim, Hidden, [1f, 0.3f, 0.1f, 0.03f], Values(Hidden * heads * Dim, 0.4));
        var rows = Values(tokens * geometry.Width, 1);
        int[] positions = [10, 60, tokens - 1];
        var queries = Values(positions.Length * heads * Dim, 1);
        var sensitivity = new AttentionSensitivity(geometry, sinks, 64);
        sensitivity.Add(rows, queries, positions);

        var window = AttentionSensitivity.Windows.Last(size => size <= recent);
        var attention = new LayerAttention(geometry, rows);
        var expected = new double[2];
        for (var q = 0; q < positions.Length; q++)
        {
            for (var head = 0; head < heads; head++)
            {
                var all = Enumerable.Range(0, positions[q] + 1).ToArray();
                var kept = all.Where(token => token < sinks || token >= positions[q] - window).ToArray();
                var logits = attention.Logits(head, queries.AsSpan(q * heads * Dim, heads * Dim), positions[q]);
                var (full, rest) = (new float[Dim], new float[Dim]);
                attention.Read(head, logits, all, full);
                attention.Read(head, logits, kept, rest);
                expected[head / 2] += Enumerable.Range(0, Hidden).Sum(row => Math.Pow(
                    Enumerable.Range(0, Dim).Sum(i => geometry.OutputProjection[(row * heads * Dim) + (head * Dim) + i] * (double)(full[i] - rest[i])), 2));
            }
        }

        var actual = sensitivity.WithoutHistory(recent);
        // Probabilities below a ten-thousandth are left out of what all tokens say.
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-2 * pair.First));
    }

    private static double[] Output(AttentionGeometry geometry, float[] rows, float[] query, int head, int moved, int direction, double step)
    {
        var logits = new double[Tokens];
        for (var token = 0; token < Tokens; token++)
        {
            double Key(int j) => rows[token * 2 * Dim + j] + (token == moved && direction == j ? step : 0);
            for (var i = 0; i < Dim / 2; i++)
            {
                var (sin, cos) = Math.SinCos(token * (double)geometry.InverseFrequencies[i]);
                var (x, y) = (Key(i), Key(i + Dim / 2));
                logits[token] += (query[head * Dim + i] * (x * cos - y * sin) + query[head * Dim + i + Dim / 2] * (y * cos + x * sin)) / Math.Sqrt(Dim);
            }
        }

        var weights = logits.Select(l => Math.Exp(l - logits.Max())).ToArray();
        var attended = Enumerable.Range(0, Dim).Select(i => Enumerable.Range(0, Tokens).Sum(token => weights[token] / weights.Sum()
            * (rows[token * 2 * Dim + Dim + i] + (token == moved && direction == Dim + i ? step : 0)))).ToArray();
        return [.. Enumerable.Range(0, Hidden).Select(row => Enumerable.Range(0, Dim)
            .Sum(i => geometry.OutputProjection[row * geometry.Heads * Dim + head * Dim + i] * attended[i]))];
    }
}
