using DeltaKV.Compression.Eviction;
using DeltaKV.Compression.KvZip;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Compression.Eviction;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.KvZip;

[Collection(KernelCollection.Name)]
public sealed class KvZipTests(KernelFixture device)
{
    /// <summary>Two parts, each cut into steps, the last of a single row; what is kept is what the account's repetition looked at most.</summary>
    [Theory]
    [InlineData(4, 2, 64)]
    [InlineData(3, 1, 80)]
    public void Keeps_what_the_repetition_looks_at(int queryHeads, int keyHeads, int headDim)
    {
        const int prompt = 170;
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        var policy = (IProbingPolicy)TestPolicies.Create("kvzip:budget=60,chunk=100", EvictionRun.LayerCount, queryHeads);
        using var run = new EvictionRun(device, shape, policy, 256, seed: 17);
        var follower = run.Admit(prompt);
        run.Step((follower, 90));
        run.Step((follower, prompt - 90));
        var (steps, histogram) = (new List<int>(), new int[EvictionRun.LayerCount * MarkHistogram.Buckets]);
        while (follower.Cache.IsProbing)
        {
            var count = Math.Min(36, follower.Cache.Probe.Length);
            steps.Add(count);
            if (steps.Sum() == prompt + (2 * policy.Instruction.Length) - count + 1)
                count = 1;
            run.Step((follower, count));
        }

        // 103 tokens, then 73: each part from the prompt's end on.
        Assert.Equal([36, 36, 31, 36, 36, 1], steps);
        Assert.Equal(prompt, follower.Cache.Length);
        Assert.Equal(prompt, follower.Cache.EvictedEnd);
        Assert.Equal(120, follower.Cache.Layers.Sum(layer => prompt - layer.Start), 2.0);
        for (var i = 0; i < 3; i++)
            run.Step((follower, 1));
        follower.Cache.Release();
        Assert.Equal(run.Cache.Pool.Count, run.Cache.Pool.FreeCount);
    }

    [Fact]
    public void Layers_whose_marks_are_larger_keep_more()
    {
        var policy = (KvZipPolicy)TestPolicies.Create("kvzip:budget=100", 3, 4);
        var marks = new int[3 * MarkHistogram.Buckets];
        // 1000 tokens in each of two heads: layer 1 has its 300 best above everything, layer 0 its 300 in the bucket that the budget ends in, layer 2 nothing.
        marks[MarkHistogram.Buckets + MarkHistogram.BucketOf(0.5f)] = 300;
        marks[MarkHistogram.Buckets] = 1700;
        marks[MarkHistogram.BucketOf(0.1f)] = 300;
        marks[0] = 1700;
        marks[2 * MarkHistogram.Buckets] = 2000;
        // 600 pairs in all: both whole buckets and nothing else, but no layer falls below the least.
        Assert.Equal([150, 150, TokenBudget.Least], policy.Distribute(marks, 2, 1000));
    }

    [Theory]
    [InlineData(0f, 0)]
    [InlineData(1e-12f, 0)]
    [InlineData(1f, 1023)]
    [InlineData(0.5f, 992)]
    public void Buckets_tell_sizes_apart(float mark, int bucket) => Assert.Equal(bucket, MarkHistogram.BucketOf(mark));
}
