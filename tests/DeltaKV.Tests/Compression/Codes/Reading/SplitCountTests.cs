using DeltaKV.Compression.Codes.Reading;

namespace DeltaKV.Tests.Compression.Codes.Reading;

public class SplitCountTests
{
    [Theory]
    // One wave that is nearly full.
    [InlineData(8, 132, 16)]
    [InlineData(24, 132, 5)]
    [InlineData(64, 264, 4)]
    // Three waves of quarters instead of one that leaves a quarter of the device idle; four of thirds instead of two of which one is nearly empty.
    [InlineData(96, 132, 4)]
    [InlineData(136, 132, 3)]
    // Many waves are full as they are.
    [InlineData(2048, 132, 1)]
    public void Waves_are_full(int histories, int groups, int expected) => Assert.Equal(expected, SplitCount.Best(histories, groups, 512));

    [Fact]
    public void It_is_the_best_within_its_bounds_and_never_far_from_a_full_device()
    {
        foreach (var groups in (int[])[2, 108, 132, 264, 320])
        {
            for (var histories = 1; histories <= 600; histories++)
            {
                var best = SplitCount.Best(histories, groups, 512);
                var time = SplitCount.Time(histories, groups, best);
                Assert.True(time <= SplitCount.Time(histories, groups, 1), $"{histories} histories, {groups} groups: {best}");
                Assert.InRange(best * histories, 1, Math.Max(histories, 4 * groups));
                // Every group busy all the time, each history whole.
                if (histories >= groups / 8)
                    Assert.InRange(time / (32.0 * histories / groups), 1, 1.75);
            }
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(7)]
    public void No_more_than_asked_for(int most) => Assert.InRange(SplitCount.Best(1, 264, most), 1, most);

    [Fact]
    public void The_room_that_is_planned_is_enough_for_every_smaller_device()
    {
        foreach (var heads in (int[])[1, 2, 8])
        {
            for (var rows = 1; rows <= 70; rows++)
            {
                var planned = SplitCount.Most(rows, heads, 320);
                for (var groups = 1; groups <= 320; groups++)
                    Assert.True(rows * SplitCount.Best(rows * heads, groups, 512) <= planned, $"{rows} rows of {heads} heads, {groups} groups");
            }
        }
    }
}
