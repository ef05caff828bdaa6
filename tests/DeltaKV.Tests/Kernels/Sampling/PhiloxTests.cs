using DeltaKV.Kernels.Sampling;

namespace DeltaKV.Tests.Kernels.Sampling;

public sealed class PhiloxTests
{
    // The known answers for a zero counter and key, and the neighbours that must differ from it.
    [Fact]
    public void GivesTheKnownAnswer()
    {
        Assert.Equal(0x6627e8d5u, Philox.Bits(0, 0, 0));
        Assert.Equal(5, new[] { Philox.Bits(0, 0, 0), Philox.Bits(1, 0, 0), Philox.Bits(1UL << 32, 0, 0), Philox.Bits(0, 1, 0), Philox.Bits(0, 0, 1) }.Distinct().Count());
    }
}
