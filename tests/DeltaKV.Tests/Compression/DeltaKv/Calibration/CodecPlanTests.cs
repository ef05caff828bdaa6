using DeltaKV.Compression.DeltaKv.Calibration;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

public sealed class CodecPlanTests
{
    [Theory]
    [InlineData(0.5, 4096, 128)]
    [InlineData(0.08, 4096, 96)]
    [InlineData(0.06, 4096, 64)]
    [InlineData(0.04, 4096, 32)]
    [InlineData(0.02, 4096, 16)]
    [InlineData(0.06, 16384, 128)]
    public void WindowsShrinkWithTheTarget(double share, int at, int expected) => Assert.Equal(expected, CodecPlan.RecentFor(share, at, 16));

    [Fact]
    public void ContradictionsAreRefused()
    {
        new CodecPlan().Validate(8);
        Assert.Throws<ArgumentException>(() => new CodecPlan { Bits = 100 }.Validate(8));
        Assert.Throws<ArgumentException>(() => new CodecPlan { Share = null }.Validate(8));
        Assert.Throws<ArgumentException>(() => new CodecPlan { Share = 1.5 }.Validate(8));
        Assert.Throws<ArgumentException>(() => new CodecPlan { Kind = CalibratedCodec.Pca, References = ReferenceUse.Auto }.Validate(8));
        Assert.Throws<ArgumentException>(() => new CodecPlan { Neighbours = 5 }.Validate(8));
        Assert.Throws<ArgumentException>(() => new CodecPlan { TokenWeighting = 1.1 }.Validate(8));
        Assert.Throws<ArgumentException>(() => new CodecPlan { Observers = LayerSet.Parse("8", "observers") }.Validate(8));
    }
}
