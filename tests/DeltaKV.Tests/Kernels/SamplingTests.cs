using DeltaKV.Gpu;
using DeltaKV.Kernels.Sampling;

namespace DeltaKV.Tests.Kernels;

[Collection(KernelCollection.Name)]
public sealed class SamplingTests(KernelFixture device)
{
    private const int Draws = 400;

    /// <summary>The known answer of Random123 for a zero key and counter.</summary>
    [Fact]
    public void PhiloxGivesTheKnownAnswer() => Assert.Equal(0x6627e8d5u, Philox.Draw(0, 0));

    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(4096)]
    [InlineData(20_000)]
    public void TakesTheMostLikely(int vocabulary)
    {
        var logits = Numbers.Singles(1, 3 * vocabulary, 10f);
        logits[vocabulary - 1] = float.NaN;
        logits[vocabulary + (vocabulary / 2)] = 20f;
        logits[(3 * vocabulary) - 1] = 30f;
        logits[(2 * vocabulary) + (vocabulary / 3)] = 30f;
        SamplingRow[] rows = [SamplingRow.Greedy, SamplingRow.Greedy with { Temperature = 1, TopK = 1 }, SamplingRow.Greedy];

        var tokens = Sample(logits, rows, vocabulary);

        var first = logits.AsSpan(0, vocabulary - 1);
        Assert.Equal(vocabulary == 1 ? 0 : System.Numerics.Tensors.TensorPrimitives.IndexOfMax(first), tokens[0]);
        Assert.Equal(vocabulary / 2, tokens[1]);
        Assert.Equal(vocabulary / 3, tokens[2]);
    }

    [Theory]
    [InlineData(1f, 0, 1f, 0f)]
    [InlineData(0.5f, 0, 1f, 0f)]
    [InlineData(1f, 5, 1f, 0f)]
    [InlineData(2f, 0, 0.7f, 0f)]
    [InlineData(1.5f, 0, 1f, 0.2f)]
    [InlineData(1.2f, 9, 0.8f, 0.05f)]
    [InlineData(0.7f, 40, 0.95f, 0.01f)]
    public void DrawsFromTheCutDistribution(float temperature, int topK, float topP, float minP)
    {
        const int vocabulary = 300;
        var logits = Numbers.Singles(2, vocabulary, 6f);
        var expected = Distribution(logits, temperature, topK, topP, minP);
        var rows = Enumerable.Range(0, Draws).Select(i => new SamplingRow
        {
            Seed = 12345, Position = i, Temperature = temperature, TopK = topK, TopP = topP, MinP = minP, RepetitionPenalty = 1, Counts = -1,
        }).ToArray();

        var tokens = Sample([.. Enumerable.Repeat(logits, Draws).SelectMany(row => row)], rows, vocabulary);

        foreach (var token in tokens)
            Assert.True(expected[token] > 0, $"Token {token} was drawn, but it is cut off.");
        for (var token = 0; token < vocabulary; token++)
        {
            // Five standard deviations of a binomial count, and one for its discreteness.
            var mean = Draws * expected[token];
            var count = tokens.Count(drawn => drawn == token);
            Assert.True(Math.Abs(count - mean) <= 1 + (5 * Math.Sqrt(mean)), $"Token {token} was drawn {count} times, expected {mean:f1}.");
        }
    }

    [Fact]
    public void DrawsDependOnSeedAndPositionAlone()
    {
        const int vocabulary = 1000;
        var logits = Numbers.Singles(3, vocabulary, 2f);
        SamplingRow Row(ulong seed, int position) => SamplingRow.Greedy with { Temperature = 1, Seed = seed, Position = position };
        int[] together = Sample([.. logits, .. logits, .. logits], [Row(7, 1), Row(8, 1), Row(7, 2)], vocabulary);
        Assert.Equal(together[0], Assert.Single(Sample(logits, [Row(7, 1)], vocabulary)));
        Assert.Equal(together[1], Assert.Single(Sample(logits, [Row(8, 1)], vocabulary)));
        Assert.Equal(3, together.Distinct().Count());
    }

    [Fact]
    public void BiasesMoveTheMostLikely()
    {
        float[] logits = [1, 2, 3, 0, 1, 2, 3, 0];
        var biased = SamplingRow.Greedy with { FirstBias = 1, Biases = 2 };
        Assert.Equal([2, 0], Sample(logits, [SamplingRow.Greedy, biased], 4, [new(3, 100), new(0, 5), new(2, -1)]));
    }

    [Fact]
    public void PenaltiesCountPromptAndAnswer()
    {
        const int vocabulary = 6;
        using var counts = new TokenCounts(device.Accelerator, 2, vocabulary);
        using var history = device.Upload([5, 5, 0, 1, 1, 2]);
        counts.Reset(device.Stream, 1, history.View, tokenCount: 6, promptTokens: 2);
        device.Stream.Synchronize();
        Assert.Equal([1, 2, 1, 0, 0, TokenCounts.InPrompt], counts.View.GetAsArray().AsSpan(vocabulary).ToArray());

        // 5 is in the prompt: 4 / 2 = 2; 1 is in the answer twice: 4 - 0.5 - 2 * 1; 0 once: 3.9 / 2 - 0.5 - 1; 3 is untouched.
        float[] logits = [3.9f, 8f, -1f, 2.1f, -3f, 4f];
        var row = SamplingRow.Greedy with { Counts = 1, RepetitionPenalty = 2, PresencePenalty = 0.5f, FrequencyPenalty = 1 };
        Assert.Equal([3], Sample(logits, [row], vocabulary, [], counts.View));
        Assert.Equal(1, counts.View.GetAsArray()[vocabulary + 3]);
        Assert.Equal([5], Sample([3.9f, 8f, -1f, 1.9f, -3f, 4f], [row], vocabulary, [], counts.View));
    }

    private int[] Sample(float[] logits, SamplingRow[] rows, int vocabulary, TokenBias[]? biases = null, ArrayView<int> counts = default)
    {
        using var logitBuffer = device.Upload(logits);
        using var rowBuffer = device.Upload(rows);
        using var biasBuffer = device.Upload(biases is null or [] ? [default] : biases);
        using var tokens = device.Poisoned<int>(rows.Length);
        new Sampler(device.Accelerator).Launch(
            device.Stream, new SamplingArguments(logitBuffer.View, rowBuffer.View, biasBuffer.View, counts, tokens.View, vocabulary), rows.Length);
        return device.Download(tokens, rows.Length);
    }

    private static double[] Distribution(float[] logits, float temperature, int topK, float topP, float minP)
    {
        var largest = logits.Max();
        var weights = logits.Select(logit => Math.Exp((logit - largest) / temperature)).ToArray();
        var order = Enumerable.Range(0, logits.Length).OrderByDescending(i => weights[i]).ToArray();
        var kept = topK > 0 ? order[..topK] : order;
        var total = kept.Sum(i => weights[i]);
        var sum = 0.0;
        var nucleus = kept.TakeWhile(i =>
        {
            var before = sum;
            sum += weights[i];
            return before < topP * total;
        }).Where(i => weights[i] >= minP).ToArray();
        var distribution = new double[logits.Length];
        foreach (var i in nucleus)
            distribution[i] = weights[i] / nucleus.Sum(j => weights[j]);
        return distribution;
    }
}
