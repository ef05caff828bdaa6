using DeltaKV.Cache;

namespace DeltaKV.Tests.Cache;

public sealed class BlockAllocatorTests
{
    [Fact]
    public void HandsOutEveryBlockOnce()
    {
        var allocator = new BlockAllocator(5, 4);
        var blocks = Enumerable.Range(0, 5).Select(_ => Allocate(allocator)).ToHashSet();

        Assert.Equal(5, blocks.Count);
        Assert.False(allocator.TryAllocate(out _));
        Assert.Equal((0, 5), (allocator.FreeCount, allocator.UsedCount));
    }

    [Fact]
    public void ABlockIsFreeWhenItsLastHolderReleasesIt()
    {
        var allocator = new BlockAllocator(1, 4);
        var block = Allocate(allocator);
        allocator.AddReference(block);
        allocator.Release(block);
        Assert.Equal(0, allocator.FreeCount);
        allocator.Release(block);
        Assert.Equal(1, allocator.FreeCount);
    }

    [Fact]
    public void MisuseIsAnError()
    {
        var allocator = new BlockAllocator(2, 4);
        var block = Allocate(allocator);
        allocator.Release(block);
        Assert.Throws<InvalidOperationException>(() => allocator.Release(block));
        Assert.Throws<InvalidOperationException>(() => allocator.AddReference(block));
    }

    [Fact]
    public void FindsByContentAndParent()
    {
        var allocator = new BlockAllocator(4, 2);
        var first = Allocate(allocator);
        var second = Allocate(allocator);
        allocator.Register(first, PrefixIndex.Root, [1, 2]);
        allocator.Register(second, first, [1, 2]);

        Assert.True(allocator.TryFind(PrefixIndex.Root, [1, 2], out var found));
        Assert.Equal(first, found);
        Assert.True(allocator.TryFind(first, [1, 2], out found));
        Assert.Equal(second, found);
        Assert.False(allocator.TryFind(second, [1, 2], out _));
        Assert.False(allocator.TryFind(PrefixIndex.Root, [2, 1], out _));
    }

    [Fact]
    public void IdleBlocksAreReusedOrEvictedOldestFirst()
    {
        var allocator = new BlockAllocator(3, 1);
        var blocks = new[] { Allocate(allocator), Allocate(allocator), Allocate(allocator) };
        for (var i = 0; i < 3; i++)
            allocator.Register(blocks[i], PrefixIndex.Root, [i]);
        allocator.Release(blocks[1]);
        allocator.Release(blocks[0]);
        allocator.Release(blocks[2]);
        Assert.Equal((3, 3), (allocator.FreeCount, allocator.IdleCount));

        Assert.True(allocator.TryFind(PrefixIndex.Root, [1], out var again));
        allocator.AddReference(again);
        Assert.Equal(blocks[0], Allocate(allocator));
        Assert.False(allocator.TryFind(PrefixIndex.Root, [0], out _));
        Assert.True(allocator.TryFind(PrefixIndex.Root, [2], out _));
    }

    [Fact]
    public void EqualContentBecomesOneBlock()
    {
        var allocator = new BlockAllocator(2, 1);
        var (first, second) = (Allocate(allocator), Allocate(allocator));
        Assert.Equal((first, true), allocator.Register(first, PrefixIndex.Root, [7]));
        Assert.Equal((first, true), allocator.Register(second, PrefixIndex.Root, [7]));
        Assert.Equal(2, allocator.ReferenceCount(first));
        Assert.Equal(1, allocator.FreeCount);
    }

    [Fact]
    public void FindsTheLongestContinuation()
    {
        var allocator = new BlockAllocator(4, 4);
        var (a, b) = (Allocate(allocator), Allocate(allocator));
        allocator.Register(a, PrefixIndex.Root, [1, 2, 3, 4]);
        allocator.Register(b, PrefixIndex.Root, [1, 2, 9, 9]);
        Assert.Equal((a, 3), allocator.FindLongest(PrefixIndex.Root, [1, 2, 3]));
        Assert.Equal((b, 3), allocator.FindLongest(PrefixIndex.Root, [1, 2, 9, 1]));
        Assert.Equal(0, allocator.FindLongest(PrefixIndex.Root, [5]).Agreeing);
        Assert.Equal(0, allocator.FindLongest(a, [1]).Agreeing);
    }

    [Fact]
    public void WithoutPrefixCachingNothingIsKept()
    {
        var allocator = new BlockAllocator(1, 1, prefixCaching: false);
        var block = Allocate(allocator);
        Assert.Equal((block, false), allocator.Register(block, PrefixIndex.Root, [1]));
        allocator.Release(block);
        Assert.Equal(0, allocator.IdleCount);
        Assert.False(allocator.TryFind(PrefixIndex.Root, [1], out _));
    }

    private static int Allocate(BlockAllocator allocator)
    {
        Assert.True(allocator.TryAllocate(out var block));
        return block;
    }
}
