using DeltaKV.Cli;
using DeltaKV.Cli.Benchmarking;

namespace DeltaKV.Tests.Cli;

/// <summary>Sizes as users write them.</summary>
public class BenchSizeTests
{
    [Fact]
    public void A_list_may_name_the_largest_batch() =>
        Assert.Equal([new(1, 1024), new(8, 32 * 1024), new(BenchSize.Largest, 128 * 1024)], BenchSize.ParseList("1x1024,8x32k,maxx128k"));

    [Theory]
    [InlineData("8")]
    [InlineData("x32k")]
    [InlineData("minx32k")]
    [InlineData("8x")]
    [InlineData("0x32k")]
    public void What_is_no_size_is_named(string text) => Assert.Contains("is no", Assert.Throws<UsageException>(() => BenchSize.ParseList(text)).Message);
}
