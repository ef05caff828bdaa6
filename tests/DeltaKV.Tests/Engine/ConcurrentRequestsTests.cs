using DeltaKV.Engine;

namespace DeltaKV.Tests.Engine;

/// <summary>Hundreds of random requests at once over a tiny cache: every one ends as it would alone, and all blocks return.</summary>
public sealed class ConcurrentRequestsTests
{
    private const int Requests = 500;
    private const int Blocks = 40;
    private const int BlockSize = 4;
    private static readonly int[] Eos = [11, 222, 3333];

    private sealed record Request(int[] Prompt, SamplingOptions Sampling, int MaxTokens, int? CancelAfter);

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
            var finished = await Task.WhenAll(requests.Select(request => Task.Run(() => RunAsync(engine, request))));
            for (var i = 0; i < Requests; i++)
                Check(requests[i], finished[i], $"seed {seed}, request {i}");
            // Only a cache without any holder has room for this one.
            var all = await engine.CompleteAsync(SchedulerHarness.Prompt(Blocks * BlockSize - 1, 99));
            Assert.Single(all.TokenIds);
            Assert.True(engine.Load.Preemptions > 0, $"seed {seed}: the cache was not tight enough to test anything");
        }
        Assert.True(runner.MixedSteps > 0 && runner.LargestBatch > 4);
        Assert.Equal((0, default), (runner.Paged.Allocator.UsedCount, runner.Cache.Usage));
    }

    private static Request Draw(Random random)
    {
        // Few families of prompts, so that many share a prefix.
        var prompt = SchedulerHarness.Prompt(random.Next(1, 60), random.Next(6));
        var maxTokens = random.Next(1, 60);
        var sampling = new SamplingOptions
        {
            MaxTokens = maxTokens,
            Temperature = random.Next(2),
            Seed = random.Next(3),
            IgnoreEos = random.Next(4) == 0,
        };
        if (random.Next(3) == 0)
        {
            var text = TestEngine.Alone(prompt, sampling, maxTokens, Eos).Text;
            var length = Math.Min(text.Length, random.Next(1, 6));
            var stop = text.Substring(random.Next(text.Length - length + 1), length);
            // A replacement character or half of a pair can end earlier in the stream than in the whole text.
            if (stop.Length > 0 && stop.All(char.IsAscii))
                sampling = sampling with { StopSequences = [stop, "never-in-any-text"] };
        }
        return new Request(prompt, sampling, maxTokens, random.Next(4) == 0 ? random.Next(0, 12) : null);
    }

    private static async Task<(List<int> Tokens, string Text, FinishReason? Reason)> RunAsync(LlmEngine engine, Request request)
    {
        using var cancel = new CancellationTokenSource();
        var tokens = new List<int>();
        var text = "";
        try
        {
            var generation = engine.GenerateAsync(request.Prompt, request.Sampling, cancel.Token);
            if (request.CancelAfter == 0)
                cancel.CancelAfter(TimeSpan.FromMilliseconds(1));
            await foreach (var update in generation)
            {
                tokens.Add(update.TokenId);
                text += update.Text;
                if (update.FinishReason is not null)
                    return (tokens, text, update.FinishReason);
                if (tokens.Count == request.CancelAfter)
                    await cancel.CancelAsync();
            }
        }
        catch (OperationCanceledException) when (request.CancelAfter is not null)
        {
            return (tokens, text, null);
        }
        throw new InvalidOperationException("A stream ended without a reason.");
    }

    private static void Check(Request request, (List<int> Tokens, string Text, FinishReason? Reason) actual, string what)
    {
        var (tokens, text, reason) = TestEngine.Alone(request.Prompt, request.Sampling, request.MaxTokens, Eos);
        if (actual.Reason is null)
        {
            Assert.True(tokens.Take(actual.Tokens.Count).SequenceEqual(actual.Tokens), $"{what}: cancelled, but its tokens differ");
            Assert.True(text.StartsWith(actual.Text, StringComparison.Ordinal), $"{what}: cancelled, but its text differs");
            return;
        }
        Assert.True(tokens.SequenceEqual(actual.Tokens), $"{what}: tokens differ");
        Assert.True(text == actual.Text, $"{what}: text '{actual.Text}', alone '{text}'");
        Assert.True(reason == actual.Reason, $"{what}: ended with {actual.Reason}, alone {reason}");
    }
}
