using DeltaKV.Evaluation.Html;

namespace DeltaKV.Tests.Evaluation.Html;

public sealed class AxisTests
{
    [Fact]
    public void TicksAreRoundAndWrittenOut()
    {
        Assert.Equal(["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"], new Axis(0, 100, 0, 1, Unit: " %").Ticks().Select(tick => tick.Text));
        Assert.Equal(["0.00005", "0.0001", "0.0002", "0.0005"], new Axis(4e-5, 6e-4, 0, 1, IsLogarithmic: true).Ticks().Select(tick => tick.Text));
    }
}
