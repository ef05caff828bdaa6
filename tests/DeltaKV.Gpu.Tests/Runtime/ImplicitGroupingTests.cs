using DeltaKV.Gpu.Runtime;

namespace DeltaKV.Gpu.Tests.Runtime;

public class ImplicitGroupingTests
{
    [Theory]
    [InlineData(1, 1, 1, 1, 0, 32)]
    [InlineData(100, 1, 1, 1, 0, 128)]
    [InlineData(100_000, 1, 1, 1, 0, 256)]
    [InlineData(100, 1, 1, 1, 64, 64)]
    [InlineData(100, 30, 1, 2, 0, 256)]
    [InlineData(100, 30, 5, 3, 0, 256)]
    [InlineData(100, 30, 5, 3, 16, 16)]
    [InlineData(int.MaxValue, 1, 1, 1, 0, 256)]
    public void Groups_cover_the_extent(int x, int y, int z, int dimensions, int groupSize, int threads)
    {
        var extent = new Index3D(x, y, z);
        var group = ImplicitGrouping.GroupFor(extent, dimensions, groupSize, 1024);
        var grid = ImplicitGrouping.GridFor(extent, group);

        Assert.Equal(threads, group.LongSize);
        Assert.True((long)grid.X * group.X >= x && (long)grid.Y * group.Y >= y && (long)grid.Z * group.Z >= z);
        Assert.True((grid.X - 1L) * group.X < x && (grid.Y - 1L) * group.Y < y && (grid.Z - 1L) * group.Z < z);
    }

    [Fact]
    public void A_kernel_with_many_registers_gets_smaller_groups() =>
        Assert.Equal(128, ImplicitGrouping.GroupFor(new Index3D(1000, 1, 1), 1, 0, 128).X);
}
