using DeltaKV.Model;

namespace DeltaKV.Tests.Model;

public class StepInputsTests
{
    // A GPU reads a tile in one 16-byte access, and faults on any other address.
    [Theory]
    [InlineData(64, 1)]
    [InlineData(63, 8)]
    [InlineData(2048, 3)]
    public void Tiles_lie_on_16_bytes_whatever_the_sizes(int maxRows, int maxLogitRows)
    {
        using var inputs = new StepInputs(TestAccelerators.Default, maxRows, maxLogitRows, maxSequences: 2, maxLength: 4096);
        Assert.Equal(0, inputs.Step.Tiles.Pointer % 16);
    }

    [Fact]
    public void Every_row_of_the_largest_step_has_a_tile()
    {
        using var inputs = new StepInputs(TestAccelerators.Default, maxRows: 130, maxLogitRows: 2, maxSequences: 2, maxLength: 4096);
        inputs.Add(0, new int[65], 0, isDecode: false);
        inputs.Add(1, new int[65], 100, isDecode: false);
        Assert.Equal(4, inputs.Step.TileCount);
        Assert.Equal(130, inputs.Step.RowCount);
    }
}
