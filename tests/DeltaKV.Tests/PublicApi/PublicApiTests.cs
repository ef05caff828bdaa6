using DeltaKV.Engine;
using DeltaKV.Testing.PublicApi;
using DeltaKV.Tests.Support;

namespace DeltaKV.Tests.PublicApi;

/// <summary>The public API of DeltaKV is what its snapshot says, so that no change to it goes unseen.</summary>
public sealed class PublicApiTests
{
    [Fact]
    public void IsThatOfTheSnapshot()
    {
        var difference = PublicApiSnapshot.Difference(typeof(LlmEngine).Assembly);

        Assert.True(difference is null, difference);
    }

    [Fact]
    public void AChangeIsShownWithTheWayToAcceptIt()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("PublicApi.DeltaKV.txt", "DeltaKV.Engine.LlmEngine: sealed class : IAsyncDisposable, IDisposable\nDeltaKV.Gone: sealed class\n");

        var difference = PublicApiSnapshot.Difference(typeof(LlmEngine).Assembly, directory.File("Test.cs"));

        Assert.Contains("- DeltaKV.Gone: sealed class\n", difference, StringComparison.Ordinal);
        Assert.Contains("+ DeltaKV.Engine.LlmEngine.Dispose(): void\n", difference, StringComparison.Ordinal);
        Assert.DoesNotContain("LlmEngine: sealed class", difference, StringComparison.Ordinal);
        Assert.EndsWith("DELTAKV_ACCEPT_API=1 dotnet test -c Release --filter IsThatOfTheSnapshot, and commit the file.", difference, StringComparison.Ordinal);
    }
}
