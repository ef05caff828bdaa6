using DeltaKV.Cli.Benchmarking;

namespace DeltaKV.Tests.Cli;

public sealed class UntrainedCodecTests
{
    /// <summary>What history takes of Llama-3.1-8B's keys and values. The raw window, 144 tokens or less of 131,072, adds a tenth of a point.</summary>
    [Theory]
    [InlineData("deltakv:codec=published-mlp,full=1+2+8+18,first=recomputed,observers=2+8+18,top=2048,hot=4096", 0.29)]
    [InlineData("deltakv:codec=published,full=1+2+8+18,first=recomputed,observers=2+8+18,top=2048", 0.29)]
    [InlineData("deltakv:codec=published,full=1+2+8+18,fulllayers=kivi4,first=recomputed,reference-bits=4,observers=2+8+18,top=2048", 0.15)]
    [InlineData("deltakv:codec=klt,bits=512,first=recomputed,observers=2+8+18,top=2048", 0.02)]
    public void Takes_few_of_the_bytes_of_an_uncompressed_cache(string text, double most)
    {
        var config = BenchShapes.Get("llama-3.1-8b");

        var method = UntrainedCodec.Resolve(text, config)!;

        Assert.InRange((double)method.BytesPerToken / config.KvBytesPerToken, 0.5 * most, most);
    }

    [Fact]
    public void Leaves_other_methods_to_the_registry() =>
        Assert.Null(UntrainedCodec.Resolve("int4:recent=32", BenchShapes.Get("tiny")));
}
