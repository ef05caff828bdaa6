using DeltaKV.Engine;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.Engine;

public sealed class BundledModelTests
{
    [Fact]
    public void ItIsFoundAboveTheProgram() => Assert.Equal(TestModels.Needle, BundledModel.Find());
}
