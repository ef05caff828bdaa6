using System.Collections.Immutable;
using DeltaKV.Compression.Eviction;
using DeltaKV.Engine;
using DeltaKV.Tests.Model;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>A real model under random requests at once over an evicting cache with room for a few: all end, and every block returns.</summary>
public sealed class EvictionEngineTests
{
    private const int Requests = 30;
    private const int MaxSequences = 8;
    private const int MaxSteps = 20_000;
    private static readonly ImmutableArray<int> Eos = [7, 77];

    [Theory]
    [InlineData("streaming-llm:budget=40", 1, 14)]
    [InlineData("snapkv:budget=40,window=8", 2, 14)]
    [InlineData("snapkv:share=50", 3, 14)]
    [InlineData("pyramidkv:budget=40,window=8", 4, 14)]
    [InlineData("h2o:budget=40", 5, 14)]
    [InlineData("kvzip:budget=40,chunk=64", 6, 18)]
    [InlineData("snapkv:budget=100,window=8+kivi-4:recent=32", 7, 14)]
    [InlineData("pyramidkv:share=60,window=8+kivi-8:recent=16", 8, 14)]
    [InlineData("streaming-llm:budget=90+kivi-4:recent=0", 9, 14)]
    [InlineData("kvzip:share=60,chunk=64+kivi-2:recent=32", 10, 18)]
    [InlineData("snapkv:share=60,window=8+int4:recent=16,sinks=16", 11, 14)]
    [InlineData("streaming-llm:budget=90+int8:recent=16,sinks=16,first=recomputed", 12, 14)]
    public void Requests_that_come_go_and_are_preempted_leave_no_block_behind(string method, int seed, int blocks)
    {
        using var model = new TinyModel(seed);
        var random = new Random(seed);
        var config = ModelConfig.Load(model.Path);
        var (runner, _) = DeviceEngine.OpenRunner(model.Path, DeviceEngine.OnDevice(new EngineOptions
        {
            MaxSequences = MaxSequences, MaxBatchTokens = 128, MaxModelLength = 384, KvMethod = method, KvCacheBytes = 200 * config.KvBytesPerToken,
        }));
        using (runner)
        {
            var cache = (EvictingKvCache)runner.Cache;
            // The plan has room for all; what is left here is enough for one in full, and for a few once they are evicted from.
            var taken = Enumerable.Range(0, cache.Pool.Count - blocks).Select(_ => cache.Pool.Take()).ToArray();
            var scheduler = new Scheduler(cache, MaxSequences, 128);
            var requests = Enumerable.Range(0, Requests).Select(_ => Draw(random)).ToArray();
            var cancelAfter = requests.Select(_ => random.Next(5) == 0 ? random.Next(0, 8) : int.MaxValue).ToArray();
            foreach (var request in requests)
                scheduler.Add(request);
            var (steps, mostCoded) = (0, 0L);
            for (; scheduler.HasWork && steps < MaxSteps; steps++)
            {
                for (var i = 0; i < Requests; i++)
                {
                    if (requests[i].OutputCount >= cancelAfter[i])
                        requests[i].Cancel();
                }

                var batch = scheduler.Next();
                if (batch.Count > 0)
                    scheduler.Commit(batch, runner.Forward(batch));
                mostCoded = Math.Max(mostCoded, cache.Usage.LatentBytes);
            }

            Assert.False(scheduler.HasWork, $"Seed {seed}: not done after {steps} steps.");
            Assert.All(requests, request => Assert.True(request.IsEnded && (request.IsCancelled || request.Finish is not null)));
            Assert.True(scheduler.Preemptions > 0, $"Seed {seed}: the cache was not tight enough to test anything.");
            foreach (var block in taken)
                cache.Pool.Release(block);
            Assert.Equal(mostCoded > 0, cache.Format.Kept is not null);
            Assert.Equal(default, cache.Usage);
            Assert.False(cache.TryFree(new BlockNeed(0) { Raw = int.MaxValue }));
            Assert.Equal(cache.Pool.Count, cache.Pool.FreeCount);
            Assert.All(cache.CodePools, pool => Assert.Equal(pool.Count, pool.FreeCount));
        }
    }

    /// <summary>Prompts of up to five blocks, of which some begin alike, and answers over a few blocks.</summary>
    private static Sequence Draw(Random random)
    {
        var family = random.Next(4);
        int[] prompt = [.. Enumerable.Range(0, random.Next(4) == 0 ? random.Next(1, 60) : random.Next(200, 290)).Select(i => ((i * i * 31) + (family * 17) + 3) % TinyModel.Vocabulary)];
        return new Sequence(prompt, new SamplingOptions { IgnoreEos = random.Next(4) != 0, Seed = random.Next(9), Temperature = 1 }, random.Next(1, 94), Eos);
    }
}
