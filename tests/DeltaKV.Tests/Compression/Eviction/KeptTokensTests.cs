using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Kernels;

namespace DeltaKV.Tests.Compression.Eviction;

/// <summary>Every method keeps, and attends to, what a slow scalar account of it says; random keys, chunks of any size, several prompts at once.</summary>
[Collection(KernelCollection.Name)]
public sealed class KeptTokensTests(KernelFixture device)
{
    public static TheoryData<string, int, int, int> Cases => new()
    {
        { "streaming-llm:budget=40", 4, 2, 64 },
        { "streaming-llm:share=50,sinks=0", 2, 1, 64 },
        { "snapkv:budget=48,window=8,kernel=5", 4, 2, 64 },
        { "snapkv:budget=70,window=16,kernel=1", 6, 2, 64 },
        { "snapkv:budget=40,window=33,kernel=7,pool=max", 3, 1, 80 },
        { "snapkv:share=40", 4, 2, 128 },
        { "pyramidkv:budget=70,window=20,kernel=5", 4, 2, 64 },
        { "pyramidkv:share=25,beta=4", 4, 4, 96 },
        { "compresskv:budget=50", 4, 2, 64 },
        { "compresskv:share=30", 6, 2, 64 },
        { "h2o:budget=50", 4, 2, 64 },
        { "h2o:share=25", 5, 1, 80 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Are_those_of_the_account(string method, int queryHeads, int keyHeads, int headDim)
    {
        using var run = Open(method, new AttentionShape(queryHeads, keyHeads, headDim));
        var first = run.Admit(200);
        var second = run.Admit(150);
        // The last queries of the first prompt lie in three steps, the last of them a single row.
        run.Step((first, 170), (second, 40));
        run.Step((first, 29), (second, 60));
        run.Step((first, 1), (second, 49));
        Assert.True(first.Cache.EvictedEnd > 0);
        Assert.Equal(0, second.Cache.EvictedEnd);
        run.Step((first, 1), (second, 1));
        Assert.True(second.Cache.EvictedEnd > 0);
        // Answers over a border of blocks; a method that keeps its budget evicts again.
        run.Step((first, 1), (second, 1));
        while (first.Cache.Length < 271)
            run.Step((first, Math.Min(27, first.Cache.StepLimit)), (second, 1));
        Assert.Equal(run.Format.Policy.WhileDecoding, first.Cache.EvictedEnd > 200);
        first.Cache.Release();
        second.Cache.Release();
        Assert.Equal(run.Cache.Pool.Count, run.Cache.Pool.FreeCount);
    }

    /// <summary>The account knows nothing of snapshots: a prompt that starts from one attends, and keeps, as if the first sequence had gone on.</summary>
    [Theory]
    [InlineData("streaming-llm:budget=40")]
    [InlineData("snapkv:budget=48,window=8")]
    [InlineData("compresskv:budget=50")]
    [InlineData("h2o:budget=50")]
    [InlineData("kvzip:budget=50")]
    public void Are_taken_over_by_a_prompt_that_continues(string method)
    {
        var shape = new AttentionShape(4, 2, 64);
        using var run = new EvictionRun(device, shape, TestPolicies.Create(method, EvictionRun.LayerCount, shape.QueryHeads), 512, seed: 12, prefixCaching: true);
        var first = run.Admit(200);
        run.Feed(first, 200, 90);
        var second = run.Continue(first, 230);
        Assert.Equal(200, second.Cache.Length);
        Assert.Equal(200, second.Cache.EvictedEnd);
        run.Feed(second, 230, 13);
        run.Step((second, 1));
        Assert.Equal(200, second.Cache.EvictedEnd);
        var third = run.Continue(second, 240);
        Assert.Equal(231, third.Cache.Length);
        run.Feed(third, 240, 9);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Are_as_few_as_the_budget_says_and_their_blocks_are_all_that_is_held(string method, int queryHeads, int keyHeads, int headDim)
    {
        using var run = Open(method, new AttentionShape(queryHeads, keyHeads, headDim));
        var follower = run.Admit(330, follows: false);
        run.Feed(follower, 330, 128);
        var expected = 0;
        for (var layer = 0; layer < EvictionRun.LayerCount; layer++)
        {
            var budget = run.Format.Policy.Budget(layer, 330);
            Assert.Equal(330 - budget, follower.Cache.Layers[layer].Start);
            expected += (330 + 63) / 64 - ((330 - budget) / 64);
        }

        Assert.Equal(expected, run.Cache.Pool.HeldCount);
        Assert.Equal(run.Cache.Pool.Count - expected, run.Cache.Pool.FreeCount);
        Assert.Equal(expected * 64L * run.Format.TokenBytes, follower.Cache.Usage.RawBytes);
        Assert.Equal(330L * EvictionRun.LayerCount * run.Format.TokenBytes, follower.Cache.Usage.FullBytes);
        Assert.Equal(run.Cache.Usage, follower.Cache.Usage);
    }

    private EvictionRun Open(string method, AttentionShape shape) => new(
        device, shape, TestPolicies.Create(method, EvictionRun.LayerCount, shape.QueryHeads), 512, seed: 11);
}
