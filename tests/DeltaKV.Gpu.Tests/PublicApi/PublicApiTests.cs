using DeltaKV.Testing.PublicApi;

namespace DeltaKV.Gpu.Tests.PublicApi;

/// <summary>The public API of DeltaKV.Gpu is what its snapshot says, so that no change to it goes unseen.</summary>
public sealed class PublicApiTests
{
    [Fact]
    public void IsThatOfTheSnapshot()
    {
        var difference = PublicApiSnapshot.Difference(typeof(Accelerator).Assembly);

        Assert.True(difference is null, difference);
    }
}
