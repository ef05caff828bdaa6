using System.Collections.Immutable;
using DeltaKV.Compression.Eviction;
using DeltaKV.Engine;
using DeltaKV.Tests.Engine;
using DeltaKV.Tests.Model;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>A real model under random requests at once over an evicting cache with room for a few: all end, and every block returns.</summary>
public sealed class EvictionEngineTests
{
    private const int Requests = 30;
    private static readonly ImmutableArray<int> Eos = [7, 77];

    [Theory]
    [InlineData("streaming-llm:budget=40", 1, 14)]
    [InlineData("snapkv:budget=40,window=8", 2, 14)]
    [InlineData("snapkv:share=50", 3, 14)]
    [InlineData("pyramidkv:budget=40,window=8", 4, 14)]
    [InlineData("h2o:budget=40", 5, 14)]
    [InlineData("kvzip:budget=40,chunk=64", 6, 18)]
    public async Task Requests_that_come_go_and_are_preempted_leave_no_block_behind(string method, int seed, int blocks)
    {
        using var model = new TinyModel(seed);
        var random = new Random(seed);
        var config = ModelConfig.Load(model.Path);
        var options = new EngineOptions
        {
            MaxSequences = 8, MaxBatchTokens = 128, MaxModelLength = 384, KvMethod = method, KvCacheBytes = 200 * config.KvBytesPerToken,
        };
        var (engine, cache) = Open(model.Path, options, config);
        // The plan has room for all; what is left here is enough for one in full, and for a few once they are evicted from.
        var taken = Enumerable.Range(0, cache.Pool.Count - blocks).Select(_ => cache.Pool.Take()).ToArray();
        await using (engine)
        {
            var requests = Enumerable.Range(0, Requests).Select(_ => Draw(random)).ToArray();
            var outcomes = await Task.WhenAll(requests.Select(request => Task.Run(() => request.RunAsync(engine))));
            Assert.Equal(Requests, outcomes.Length);
            Assert.All(outcomes.Zip(requests), pair => Assert.True(pair.First.Reason is not null || pair.Second.CancelAfter is not null));
            Assert.True(engine.Load.Preemptions > 0, $"Seed {seed}: the cache was not tight enough to test anything.");
        }

        foreach (var block in taken)
            cache.Pool.Release(block);
        Assert.Equal(default, cache.Usage);
        Assert.False(cache.TryFree(int.MaxValue));
        Assert.Equal(cache.Pool.Count, cache.Pool.FreeCount);
    }

    private static (LlmEngine Engine, EvictingKvCache Cache) Open(string directory, EngineOptions options, ModelConfig config)
    {
        options = DeviceEngine.OnDevice(options);
        var (runner, plan) = DeviceEngine.OpenRunner(directory, options);
        var engine = new LlmEngine(directory, config, new GenerationDefaults { EosTokenIds = Eos }, TestEngine.Tokenizer, plan, options, runner);
        return (engine, (EvictingKvCache)runner.Cache);
    }

    /// <summary>Prompts of up to five blocks, of which some begin alike, and answers over a few blocks in bursts, so that they meet.</summary>
    private static RandomRequest Draw(Random random)
    {
        var family = random.Next(4);
        int[] prompt = [.. Enumerable.Range(0, random.Next(4) == 0 ? random.Next(1, 60) : random.Next(200, 290)).Select(i => ((i * i * 31) + (family * 17) + 3) % TinyModel.Vocabulary)];
        var sampling = new SamplingOptions { MaxTokens = random.Next(1, 94), IgnoreEos = random.Next(4) != 0, Seed = random.Next(9), Temperature = 1 };
        return new RandomRequest(prompt, sampling, random.Next(5) == 0 ? random.Next(0, 8) : null);
    }
}
