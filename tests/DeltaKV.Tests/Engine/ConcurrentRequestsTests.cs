using DeltaKV.Engine;

namespace DeltaKV.Tests.Engine;

/// <summary>Hundreds of random requests at once over a tiny cache: every one ends as it would alone, and all blocks return.</summary>
public sealed class ConcurrentRequestsTests
{
    private const int Requests = 500;
    private const int Blocks = 40;
    private const int BlockSize = 4;
    private static readonly int[] Eos = [11, 222, 3333];

    [Theory]
    [InlineData(1001)]
    [InlineData(1002)]
    public async Task EveryRequestEndsAsItWouldAlone(int seed)
    {
        var random = new Random(seed);
        var requests = Enumerable.Range(0, Requests).Select(_ => Draw(random)).ToList();
        var runner = new HashModelRunner(Blocks, BlockSize);
        await using (var engine = TestEngine.Create(runner, maxSequences: 12, maxBatchTokens: 48, eos: Eos))
        {
            var finished = await Task.WhenAll(requests.Select(request => Task.Run(() => request.RunAsync(engine))));
            for (var i = 0; i < Requests; i++)
                RandomRequest.AssertAgrees(Alone(requests[i].Prompt, requests[i].Sampling), finished[i], $"seed {seed}, request {i}");
            // Only a cache without any holder has room for this one.
            var all = await engine.CompleteAsync(SchedulerHarness.Prompt(Blocks * BlockSize - 1, 99));
            Assert.Single(all.TokenIds);
            Assert.True(engine.Load.Preemptions > 0, $"seed {seed}: the cache was not tight enough to test anything");
        }
        Assert.True(runner.MixedSteps > 0 && runner.LargestBatch > 4);
        Assert.Equal((0, default), (runner.Paged.Allocator.UsedCount, runner.Cache.Usage));
    }

    private static RandomRequest Draw(Random random)
    {
        // Few families of prompts, so that many share a prefix.
        var prompt = SchedulerHarness.Prompt(random.Next(1, 60), random.Next(6));
        var sampling = new SamplingOptions
        {
            MaxTokens = random.Next(1, 60),
            Temperature = random.Next(2),
            Seed = random.Next(3),
            IgnoreEos = random.Next(4) == 0,
        };
        if (random.Next(3) == 0)
        {
            var text = Alone(prompt, sampling).Text;
            var length = Math.Min(text.Length, random.Next(1, 6));
            var stop = text.Substring(random.Next(text.Length - length + 1), length);
            // A replacement character or half of a pair can end earlier in the stream than in the whole text.
            if (stop.Length > 0 && stop.All(char.IsAscii))
                sampling = sampling with { StopSequences = [stop, "never-in-any-text"] };
        }
        return new RandomRequest(prompt, sampling, random.Next(4) == 0 ? random.Next(0, 12) : null);
    }

    private static RandomRequest.Outcome Alone(int[] prompt, SamplingOptions sampling)
    {
        var (tokens, text, reason) = TestEngine.Alone(prompt, sampling, sampling.MaxTokens!.Value, Eos);
        return new RandomRequest.Outcome(tokens, text, reason);
    }
}
