using System.Collections.Immutable;
using System.Diagnostics;
using DeltaKV.Engine;
using DeltaKV.Tests.Engine;
using Xunit.Abstractions;

namespace DeltaKV.Tests.Model;

/// <summary>
/// A real model under hundreds of random requests at once, sampling on, with a cache for a few of them: every one ends as it would alone, to
/// the token, and all blocks return.
/// </summary>
/// <remarks>
/// In float32, whose kernels compute a row in the same order whatever else is in the batch, so nothing but a mistake can change a token.
/// bf16 kernels sum in an order that depends on the number of rows; <see cref="BatchedAnswersTests"/> holds them to their rounding.
/// </remarks>
public sealed class ModelConcurrencyTests(ITestOutputHelper output)
{
    private const int Requests = 500;
    private const int Blocks = 4;
    private const int BlockTokens = 64;
    private static readonly ImmutableArray<int> Eos = [7, 77];

    [Theory]
    [InlineData(3001)]
    public async Task EveryRequestEndsAsItWouldAlone(int seed)
    {
        using var model = new TinyModel(seed);
        var options = new EngineOptions { Precision = ModelPrecision.FullPrecision, MaxSequences = 12, MaxBatchTokens = 48 };
        var (requests, alone) = await AloneAsync(seed, model.Path, options with { MaxSequences = 1, PrefixCaching = false });

        var clock = Stopwatch.StartNew();
        var (engine, cache) = DeviceEngine.OpenWithBlocks(model.Path, options, Blocks, Eos);
        await using (engine)
        {
            Assert.Equal(Blocks, cache.Allocator.BlockCount);
            var finished = await Task.WhenAll(requests.Select(request => Task.Run(() => request.RunAsync(engine))));
            for (var i = 0; i < Requests; i++)
                RandomRequest.AssertAgrees(alone[i], finished[i], $"seed {seed}, request {i}");
            output.WriteLine($"together {clock.Elapsed.TotalSeconds:f1} s, {engine.Load.ComputedTokens} rows, {engine.Load.Preemptions} preemptions");
            Assert.True(engine.Load.Preemptions > 0, $"seed {seed}: the cache was not tight enough to test anything");
            // Only a cache without any holder has room for this one.
            var all = await engine.CompleteAsync(Prompt((Blocks * BlockTokens) - 1, 99));
            Assert.Single(all.TokenIds);
        }

        Assert.Equal((0, default), (cache.Allocator.UsedCount, cache.Usage));
    }

    /// <summary>Random requests and what each is answered when it has the engine to itself.</summary>
    private async Task<(List<RandomRequest> Requests, List<RandomRequest.Outcome> Outcomes)> AloneAsync(int seed, string model, EngineOptions options)
    {
        var random = new Random(seed);
        var (requests, outcomes) = (new List<RandomRequest>(), new List<RandomRequest.Outcome>());
        var clock = Stopwatch.StartNew();
        var (engine, _) = DeviceEngine.OpenWithBlocks(model, options, Blocks, Eos);
        await using (engine)
        {
            for (var i = 0; i < Requests; i++)
            {
                var request = Draw(random, grows: i % 60 < 6);
                var outcome = await request.RunAsync(engine);
                if (random.Next(4) == 0 && Stop(random, outcome.Text) is { } stop)
                {
                    request = request with { Sampling = request.Sampling with { StopSequences = [stop, "never-in-any-text"] } };
                    outcome = await request.RunAsync(engine);
                }

                requests.Add(request with { CancelAfter = random.Next(5) == 0 ? random.Next(0, 8) : null });
                outcomes.Add(outcome);
            }

            output.WriteLine($"alone {clock.Elapsed.TotalSeconds:f1} s, {engine.Load.ComputedTokens} rows");
        }

        // Otherwise the answers would not tell one context from another.
        Assert.True(outcomes.SelectMany(outcome => outcome.Tokens).Distinct().Count() > TinyModel.Vocabulary / 2);
        return (requests, outcomes);
    }

    /// <summary>Few families of prompts, so that many share a prefix.</summary>
    private static int[] Prompt(int length, int family) => [.. Enumerable.Range(0, length).Select(i => ((i * i * 31) + (family * 17) + 3) % TinyModel.Vocabulary)];

    private static string? Stop(Random random, string text)
    {
        var length = Math.Min(text.Length, random.Next(1, 4));
        var stop = text.Substring(random.Next(text.Length - length + 1), length);
        return stop.Length > 0 ? stop : null;
    }

    /// <summary>Most requests are short; some have prompts over several blocks; answers grow over several in bursts, so that they meet.</summary>
    private static RandomRequest Draw(Random random, bool grows)
    {
        var sampling = new SamplingOptions
        {
            MaxTokens = grows ? random.Next(80, 150) : random.Next(1, 10),
            IgnoreEos = grows || random.Next(4) == 0,
            Seed = random.Next(5),
        };
        if (random.Next(4) != 0)
        {
            sampling = sampling with
            {
                Temperature = 0.5f + random.NextSingle(),
                TopK = random.Next(2) * random.Next(1, 60),
                TopP = random.Next(2) == 0 ? 1 : 0.5f + (random.NextSingle() / 2),
                MinP = random.Next(3) == 0 ? random.NextSingle() / 10 : 0,
            };
        }

        if (random.Next(3) == 0)
            sampling = sampling with { RepetitionPenalty = 0.5f + random.NextSingle(), PresencePenalty = random.NextSingle(), FrequencyPenalty = random.NextSingle() };
        if (random.Next(4) == 0)
            sampling = sampling with { LogitBias = ImmutableDictionary<int, float>.Empty.Add(random.Next(TinyModel.Vocabulary), 0.3f).Add(7, -1) };
        return new RandomRequest(Prompt(random.Next(8) == 0 ? random.Next(20, 120) : random.Next(1, 16), random.Next(6)), sampling, null);
    }
}
