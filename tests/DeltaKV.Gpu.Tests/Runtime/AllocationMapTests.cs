using DeltaKV.Gpu.Runtime;

namespace DeltaKV.Gpu.Tests.Runtime;

public class AllocationMapTests
{
    [Fact]
    public void It_agrees_with_a_list_of_intervals_under_random_use()
    {
        const int Seed = 7;
        var random = new Random(Seed);
        var map = new AllocationMap();
        var live = new List<(long Start, long Bytes)>();
        for (var step = 0; step < 3000; step++)
        {
            if (live.Count > 0 && random.Next(3) == 0)
            {
                var gone = live[random.Next(live.Count)];
                live.Remove(gone);
                map.Remove((nint)gone.Start);
            }
            else
            {
                var start = 16L * random.Next(1, 2000);
                var bytes = random.Next(1, 17);
                if (live.All(other => other.Start != start))
                {
                    live.Add((start, bytes));
                    map.Add((nint)start, bytes);
                }
            }

            var address = random.NextInt64(0, 16 * 2001);
            var size = random.Next(1, 9);
            var expected = live.Any(one => one.Start <= address && address + size <= one.Start + one.Bytes);
            Assert.True(expected == map.Contains((nuint)address, size), $"seed {Seed}, step {step}: {address}+{size}");
        }

        Assert.Equal(live.Count, map.Count);
    }

    [Fact]
    public void It_says_what_lies_near_an_address()
    {
        var map = new AllocationMap();
        Assert.Equal("there is no live buffer", map.Describe(5));
        map.Add(0x1000, 16);

        Assert.Equal("byte 3 of a buffer of 16 bytes at 0x1000", map.Describe(0x1003));
        Assert.Equal("2 bytes past the end of a buffer of 16 bytes at 0x1000", map.Describe(0x1012));
        Assert.Equal("1 bytes before the first buffer (16 bytes at 0x1000)", map.Describe(0xfff));
    }
}
