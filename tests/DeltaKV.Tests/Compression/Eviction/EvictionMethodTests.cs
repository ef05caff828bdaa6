using DeltaKV.Compression;
using DeltaKV.Compression.Eviction;
using DeltaKV.Kernels;
using DeltaKV.Kernels.Attention;
using DeltaKV.Tests.Model;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Compression.Eviction;

public class EvictionMethodTests
{
    /// <summary>What a method says it takes is what it takes: the block that may be left over is all that lies between.</summary>
    [Theory]
    [InlineData("streaming-llm:budget=100")]
    [InlineData("snapkv:share=25,window=16")]
    [InlineData("pyramidkv:budget=64")]
    [InlineData("h2o:share=12.5")]
    [InlineData("compresskv:share=50")]
    [InlineData("kvzip:share=25,chunk=128")]
    public void Allocates_what_it_said(string method)
    {
        var config = ModelConfig.Load(GoldenLogitsTests.Directory("llama"));
        var accelerator = TestAccelerators.Create(TestAccelerators.Devices[0]);
        using (accelerator)
        {
            using var stream = accelerator.CreateStream();
            using var kernels = new BFloat16Kernels(accelerator, new AttentionShape(config.HeadCount, config.KeyValueHeadCount, config.HeadDim), 4);
            var kv = new EvictionMethod(config, TestPolicies.Create(method, config.LayerCount, config.HeadCount));
            var limits = new KvLimits(4, 128, 512, 0);
            var bytes = kv.FixedBytes(limits) + (1000 * kv.BytesPerToken);
            var before = accelerator.AllocatedBytes;
            using var layers = kv.Open(new KvMethodContext(stream, config, null!, kernels, bytes, limits, PrefixCaching: false));
            Assert.InRange(accelerator.AllocatedBytes - before, bytes - kv.Format.BlockBytes, bytes);
        }
    }

    [Theory]
    [InlineData("snapkv:budget=8", "at least 32")]
    [InlineData("snapkv:budget=64,share=20", "give one of them")]
    [InlineData("snapkv:share=0", "percent")]
    [InlineData("snapkv:share=101", "percent")]
    [InlineData("snapkv:kernel=4", "odd")]
    [InlineData("snapkv:window=0", "Window")]
    [InlineData("snapkv:pool=sum", "avg or max")]
    [InlineData("snapkv:sinks=4", "no setting 'sinks'")]
    [InlineData("streaming-llm:sinks=32", "sinks")]
    [InlineData("pyramidkv:beta=0", "beta")]
    public void Refuses_what_makes_no_sense(string method, string message)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => TestPolicies.Create(method, 2, 4));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(25, 4096, 1024)]
    [InlineData(12.5, 4096, 512)]
    [InlineData(6, 16384, 960)]
    [InlineData(50, 1000, 488)]
    [InlineData(6, 100, 32)]
    [InlineData(100, 777, 777)]
    public void A_share_ends_at_a_block(double percent, int prompt, int expected)
    {
        var kept = new TokenBudget(0, percent / 100).For(prompt);
        Assert.Equal(expected, kept);
        Assert.True((prompt - kept) % 64 == 0 || kept == TokenBudget.Least);
    }

    [Theory]
    [InlineData("pyramidkv:budget=512", 8, 4096)]
    [InlineData("pyramidkv:share=12.5", 32, 8192)]
    [InlineData("compresskv:budget=512", 8, 4096)]
    [InlineData("compresskv:share=50", 32, 8192)]
    public void Layers_share_what_the_budget_is_on_average(string method, int layers, int prompt)
    {
        var policy = TestPolicies.Create(method, layers, 8);
        var budgets = Enumerable.Range(0, layers).Select(layer => policy.Budget(layer, prompt)).ToArray();
        var average = TokenBudget.Of(KvMethodSpec.Parse(method)).Average(prompt);
        Assert.InRange(budgets.Average(), average - 16, average + 16);
        Assert.True(budgets[0] > budgets[^1]);
        Assert.All(budgets, budget => Assert.InRange(budget, 1, prompt));
    }
}
