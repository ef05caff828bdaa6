using DeltaKV.Cache;

namespace DeltaKV.Tests.Cache;

public sealed class KvUsageTests
{
    [Fact]
    public void CountsEveryPool()
    {
        var usage = new KvUsage(10, 1000, 100, 50, 30, 20);
        Assert.Equal(200, usage.TotalBytes);
        Assert.Equal(0.2, usage.Ratio);
        Assert.Equal(0, default(KvUsage).Ratio);
        Assert.Equal(new KvUsage(20, 2000, 200, 100, 60, 40), usage + usage);
    }
}
