using DeltaKV.Engine;
using DeltaKV.Tests.Support;
using DeltaKV.Weights;

namespace DeltaKV.Tests.Engine;

public sealed class MemoryPlanTests
{
    private const long Gibibyte = 1L << 30;
    private static readonly ModelConfig Config = ModelConfig.Load(TestModels.Needle);

    [Fact]
    public void TheCacheGetsWhatIsLeft()
    {
        var plan = Create(new EngineOptions { MaxSequences = 1000 }, freeBytes: 10 * Gibibyte);

        Assert.Equal(9 * Gibibyte, plan.BudgetBytes);
        Assert.Equal((9 * Gibibyte - 3 * Gibibyte) / (64 * 8192), plan.BlockCount);
        Assert.True(plan.TotalBytes <= plan.BudgetBytes);
        Assert.Equal(16384, plan.MaxModelLength);
    }

    [Fact]
    public void NoMoreIsTakenThanAllSequencesCanUse() =>
        Assert.Equal(2 * 16384, Create(new EngineOptions { MaxSequences = 2 }, 80 * Gibibyte).KvTokens);

    [Fact]
    public void TheContextShrinksToWhatFitsUnlessItWasAskedFor()
    {
        var options = new EngineOptions { KvCacheBytes = 100 * 64 * 8192 };
        Assert.Equal((100, 6400), (Create(options, 80 * Gibibyte).BlockCount, Create(options, 80 * Gibibyte).MaxModelLength));

        var exception = Assert.Throws<InsufficientDeviceMemoryException>(() => Create(options with { MaxModelLength = 6401 }, 80 * Gibibyte));
        Assert.Contains("cache limited to 52.4 MB", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AModelThatDoesNotFitIsRefusedWithTheNumbers()
    {
        var exception = Assert.Throws<InsufficientDeviceMemoryException>(() => Create(new EngineOptions(), 3 * Gibibyte));
        Assert.Equal(3 * Gibibyte + 64 * 8192, exception.RequiredBytes);
        Assert.Contains("weights 2.15 GB, workspace 1.07 GB", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AContextBeyondTheModelIsRefused() =>
        Assert.Throws<ArgumentException>(() => Create(new EngineOptions { MaxModelLength = 16385 }, 80 * Gibibyte));

    [Fact]
    public void ThePlanIsReadable()
    {
        var text = Create(new EngineOptions { MaxSequences = 2 }, 80 * Gibibyte).ToString();
        Assert.Contains("KV cache    268.4 MB = 32,768 tokens of 8,192 bytes, in blocks of 64", text, StringComparison.Ordinal);
        Assert.Contains("KV cache    524.3 kB = 64 tokens", Create(new EngineOptions { KvCacheBytes = 64 * 8192 }, 80 * Gibibyte).ToString(), StringComparison.Ordinal);
        Assert.Contains("context     16,384 tokens per sequence, 2.0 sequences of that length", text, StringComparison.Ordinal);
    }

    [Fact]
    public void OptionsAreChecked()
    {
        Assert.Throws<ArgumentOutOfRangeException>(nameof(EngineOptions.MemoryShare), () => new EngineOptions { MemoryShare = 0 });
        Assert.Throws<ArgumentNullException>(nameof(EngineOptions.KvMethod), () => new EngineOptions { KvMethod = null! });
        Assert.Throws<ArgumentOutOfRangeException>(() => new EngineOptions { MaxSequences = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new EngineOptions { KvCacheBytes = 0 });
        Assert.Equal(64, new EngineOptions { MaxSequences = 64, MaxBatchTokens = 16 }.MaxBatchTokens);
    }

    private static MemoryPlan Create(EngineOptions options, long freeBytes) =>
        MemoryPlan.Create(Config, options, "test device", freeBytes, 2 * Gibibyte, Gibibyte, Config.KvBytesPerToken);
}
