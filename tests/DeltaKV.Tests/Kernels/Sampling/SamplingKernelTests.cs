using System.Collections.Immutable;
using DeltaKV.Engine;
using DeltaKV.Kernels.Sampling;
using DeltaKV.Model;

namespace DeltaKV.Tests.Kernels.Sampling;

/// <summary>
/// Tokens against the reference in double: the very same, because two tokens arrive within rounding (2^-17 of their time) of each other once in
/// a hundred thousand draws.
/// </summary>
[Collection(KernelCollection.Name)]
public sealed class SamplingKernelTests(KernelFixture device)
{
    private static readonly SamplingOptions Warm = new() { Temperature = 0.8f };

    private static readonly Dictionary<string, SamplingOptions> Filters = new()
    {
        ["temperature"] = Warm,
        ["hot"] = new() { Temperature = 100 },
        ["cold"] = new() { Temperature = 1e-3f },
        ["colder than numbers"] = new() { Temperature = float.Epsilon },
        ["top-k"] = Warm with { TopK = 7 },
        ["top-k 1"] = Warm with { TopK = 1 },
        ["top-k beyond the vocabulary"] = Warm with { TopK = int.MaxValue },
        ["top-p"] = Warm with { TopP = 0.9f },
        ["top-p of one token"] = Warm with { TopP = 1e-6f },
        ["top-p of nearly all"] = Warm with { TopP = 0.999999f },
        ["min-p"] = Warm with { MinP = 0.05f },
        ["min-p of the best"] = Warm with { MinP = 1 },
        ["all three"] = new() { Temperature = 1.5f, TopK = 40, TopP = 0.95f, MinP = 0.02f },
        ["penalties"] = new() { Temperature = 1, RepetitionPenalty = 1.3f, PresencePenalty = 0.5f, FrequencyPenalty = 0.25f },
        ["greedy with penalties"] = new() { RepetitionPenalty = 1.8f, FrequencyPenalty = 2 },
        ["rewards"] = new() { Temperature = 1, RepetitionPenalty = 0.7f, PresencePenalty = -1 },
        ["bias"] = new() { Temperature = 1, LogitBias = Bias((3, 100), (4, 100), (0, -100)) },
        ["greedy with bias"] = new() { LogitBias = Bias((5, 50), (9, 51)) },
        ["everything"] = new() { Temperature = 1.2f, TopK = 30, TopP = 0.9f, MinP = 0.01f, RepetitionPenalty = 1.1f, PresencePenalty = 1, LogitBias = Bias((8, 7), (9, -7)) },
    };

    public static TheoryData<string> FilterNames => [.. Filters.Keys];

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(4096)]
    [InlineData(50257)]
    [InlineData(262144)]
    public void TakesTheMostLikelyToken(int vocabulary)
    {
        var logits = Rows(vocabulary, vocabulary > 100_000 ? 1 : 3, vocabulary);
        Check(logits, [.. logits.Select(_ => SamplingOptions.Greedy)]);
    }

    [Theory]
    [MemberData(nameof(FilterNames))]
    public void DrawsWhatTheReferenceDraws(string name)
    {
        foreach (var (vocabulary, rows) in new[] { (37, 24), (1000, 12), (4096, 4) })
            Check(Rows(name.Length, rows, vocabulary), [.. Enumerable.Repeat(Filters[name], rows)]);
    }

    [Fact]
    public void DrawsFromTheLargestVocabulary() => Check(Rows(5, 2, 262_144), [Warm, new() { Temperature = 1, TopK = 1000, TopP = 0.8f }]);

    [Fact]
    public void MixesRows()
    {
        var options = Filters.Values.ToArray();
        Check(Rows(6, options.Length, 333), options);
    }

    // All equal: the ranking is by id alone, so the filters keep a run of the lowest ids.
    [Fact]
    public void BreaksTiesByTheLowestId()
    {
        float[][] rows = [.. Enumerable.Range(0, 24).Select(_ => new float[512])];
        Assert.All(Sample(rows, [.. rows.Select(_ => SamplingOptions.Greedy)]), token => Assert.Equal(0, token));
        Check(rows, [.. rows.Select(_ => Warm)]);
        Check(rows, [.. rows.Select(_ => Warm with { TopK = 3 })]);
        Check(rows, [.. rows.Select(_ => Warm with { TopP = 0.25f })]);
        var drawn = Sample(rows, [.. rows.Select(_ => Warm with { TopK = 3 })]);
        Assert.Equal([0, 1, 2], drawn.Distinct().Order());
        drawn = Sample(rows, [.. rows.Select(_ => Warm with { TopP = 1f / 256 })]);
        Assert.Equal([0, 1], drawn.Distinct().Order());
    }

    [Fact]
    public void IgnoresWhatIsImpossible()
    {
        var only = Enumerable.Repeat(float.NegativeInfinity, 300).ToArray();
        only[123] = -5;
        var broken = (float[])only.Clone();
        broken[7] = float.NaN;
        var infinite = (float[])only.Clone();
        infinite[200] = float.PositiveInfinity;
        var none = Enumerable.Repeat(float.NegativeInfinity, 300).ToArray();
        foreach (var options in new[] { SamplingOptions.Greedy, Warm, Warm with { TopK = 5 }, Warm with { TopP = 0.5f, MinP = 0.5f } })
            Assert.Equal([123, 123, 200, 0], Sample([only, broken, infinite, none], [options, options, options, options]));
    }

    [Fact]
    public void DrawsDependOnSeedAndPositionAlone()
    {
        var logits = Rows(3, 1, 1000)[0];
        var hot = Warm with { Temperature = 100 };
        var together = Sample([logits, logits, logits], [hot, SamplingOptions.Greedy, hot]);
        Assert.Equal(together[0], Assert.Single(Sample([logits], [hot])));
        Assert.NotEqual(together[0], together[2]);
    }

    // Pearson's statistic over 19 degrees of freedom is above 50.8 once in 10,000 times; the seeds are fixed.
    [Fact]
    public void DrawsInProportion()
    {
        const int Draws = 1024, Vocabulary = 20;
        var logits = Rows(9, 1, Vocabulary)[0];
        var options = new SamplingOptions { Temperature = 3 };
        var drawn = Sample([.. Enumerable.Repeat(logits, Draws)], [.. Enumerable.Repeat(options, Draws)]);
        var expected = SamplingReference.Candidates([.. logits.Select(logit => (double)logit)], options);
        var statistic = expected.Sum(candidate =>
            Math.Pow(drawn.Count(token => token == candidate.Token) - (Draws * candidate.Probability), 2) / (Draws * candidate.Probability));
        Assert.InRange(statistic, 2, 50.8);
    }

    private static ImmutableDictionary<int, float> Bias(params (int Token, float Value)[] entries) =>
        entries.ToImmutableDictionary(entry => entry.Token, entry => entry.Value);

    /// <summary>Logits as models have them: most within a few units, some far above.</summary>
    private static float[][] Rows(int seed, int count, int vocabulary)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, vocabulary)
            .Select(_ => (float)((random.NextDouble() * 4) - 2 + (random.Next(20) == 0 ? random.NextDouble() * 8 : 0))).ToArray())];
    }

    private static (int[] Prompt, int[] Answer) History(int row, int vocabulary) =>
        ([.. Enumerable.Range(0, 6 + row).Select(i => i * i % vocabulary)], [.. Enumerable.Range(0, row).Select(i => i * 3 % 7 % vocabulary)]);

    private void Check(float[][] rows, SamplingOptions[] options)
    {
        var actual = Sample(rows, options);
        for (var row = 0; row < rows.Length; row++)
        {
            var (prompt, answer) = History(row, rows[row].Length);
            var expected = SamplingReference.Sample(rows[row], options[row], Seed(row), prompt, answer);
            Assert.True(expected == actual[row], $"row {row} of {rows.Length} by {rows[row].Length}, {options[row]}: token {actual[row]}, expected {expected}");
        }
    }

    private static long Seed(int row) => unchecked((long)0x9E3779B97F4A7C15 * (row + 1));

    private int[] Sample(float[][] rows, SamplingOptions[] options)
    {
        var vocabulary = rows[0].Length;
        var staged = new SamplingRow[rows.Length];
        var biases = new TokenBias[rows.Length * SamplingKernel.MaxBiases];
        using var counts = device.Accelerator.Allocate1D<int>((long)rows.Length * vocabulary);
        counts.MemSetToZero(device.Stream);
        var counter = new TokenCountKernel(device.Accelerator);
        for (var row = 0; row < rows.Length; row++)
        {
            var (prompt, answer) = History(row, vocabulary);
            staged[row] = SamplingRows.Create(options[row], Seed(row), prompt.Length + answer.Length) with { Slot = row };
            var at = row * SamplingKernel.MaxBiases;
            foreach (var (token, value) in options[row].LogitBias)
                biases[at++] = new TokenBias(token, value);
            if (!options[row].HasPenalties)
                continue;
            // The last token of the answer is what the sampling kernel counts itself.
            if (answer.Length > 0)
                staged[row].NewToken = answer[^1];
            using var history = device.Upload<int>([.. prompt, .. answer.SkipLast(1)]);
            counter.Launch(device.Stream, history.View, counts.View.BaseView.SubView((long)row * vocabulary, vocabulary), prompt.Length);
            device.Stream.Synchronize();
        }

        using var logits = device.Upload(rows.SelectMany(row => row).ToArray());
        using var parameters = device.Upload(staged);
        using var biasTable = device.Upload(biases);
        using var tokens = device.Poisoned<int>(rows.Length);
        new SamplingKernel(device.Accelerator).Launch(
            device.Stream, logits.View, parameters.View, biasTable.View, counts.View, tokens.View, rows.Length, vocabulary);
        return device.Download(tokens, rows.Length);
    }
}
