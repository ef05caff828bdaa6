using DeltaKV.Compression.DeltaKv;
using DeltaKV.Compression.DeltaKv.Calibration;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

public sealed class HeadChoiceTests
{
    // The first layer is not coded; ten in all.
    private static readonly double[]?[] Losses = [null, [0.3, 4.0], [0.1, 0.2], [5.3, 0.1]];

    [Theory]
    [InlineData("table:0", "cc/cc/cc/cc")]
    [InlineData("table:1", "cc/cc/wc/cc")]
    [InlineData("table:4.001", "cc/cc/ww/cw")]
    [InlineData("table:7.001", "cc/wc/ww/cw")]
    [InlineData("table:60", "cc/ww/ww/cw")]
    public void HeadsGoInTheOrderOfWhatTheyLose(string text, string table) =>
        Assert.Equal(table, HeadChoice.Parse(text).Table(Losses, 2, []).ToString());

    [Fact]
    public void AnObserverKeepsTheHeadThatLosesMost() =>
        Assert.Equal("cc/wc/wc/cw", HeadChoice.Parse("table:7.001").Table(Losses, 2, [2, 3]).ToString());

    [Fact]
    public void ATableThatIsNamedHoldsForCodedLayers() =>
        Assert.Equal("cc/cw/rc/cc", HeadChoice.Parse("ww/cw/rc/cc").Table(Losses, 2, []).ToString());

    [Fact]
    public void ANamedTableOfAnotherModelIsRefused()
    {
        var message = Assert.Throws<CodecMismatchException>(() => HeadChoice.Parse("ww/cw").Table(Losses, 2, [])).Message;
        Assert.Contains("2 layers of 2 heads", message, StringComparison.Ordinal);
        Assert.Contains("4 of 2", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("table:x")]
    [InlineData("table:100")]
    [InlineData("some")]
    public void OtherTextIsRefused(string text) => Assert.Contains(text, Assert.Throws<ArgumentException>(() => HeadChoice.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void AllIsNoTable() => Assert.Same(HeadChoice.All, HeadChoice.Parse("all"));
}
