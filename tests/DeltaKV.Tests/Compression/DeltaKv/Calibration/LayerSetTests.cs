using DeltaKV.Compression.DeltaKv.Calibration;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

public sealed class LayerSetTests
{
    [Fact]
    public void LayersAreNamedOrFound()
    {
        Assert.Equal([0, 1, 8], LayerSet.Parse("8+0+1+8", "layers").Layers);
        Assert.Empty(LayerSet.Parse("none", "layers").Layers);
        Assert.False(LayerSet.Parse("none", "layers").IsAutomatic);
        Assert.Equal((true, -1), (LayerSet.Parse("auto", "layers").IsAutomatic, LayerSet.Parse("auto", "layers").Count));
        Assert.Equal((true, 4), (LayerSet.Parse("auto:4", "layers").IsAutomatic, LayerSet.Parse("auto:4", "layers").Count));
    }

    [Theory]
    [InlineData("")]
    [InlineData("some")]
    [InlineData("1+-2")]
    [InlineData("auto:0")]
    public void AnythingElseIsRefused(string text) =>
        Assert.Contains("--observers", Assert.Throws<ArgumentException>(() => LayerSet.Parse(text, "--observers")).Message, StringComparison.Ordinal);

    [Fact]
    public void LayersThatTheModelLacksAreRefused()
    {
        Assert.Throws<ArgumentException>(() => LayerSet.Parse("3+8", "layers").Validate(8, "layers"));
        Assert.Throws<ArgumentException>(() => LayerSet.Parse("auto:9", "layers").Validate(8, "layers"));
        LayerSet.Parse("3+7", "layers").Validate(8, "layers");
    }
}
