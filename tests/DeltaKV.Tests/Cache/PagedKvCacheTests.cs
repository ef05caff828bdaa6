using DeltaKV.Cache;

namespace DeltaKV.Tests.Cache;

public sealed class PagedKvCacheTests
{
    private const int BlockSize = 8;
    private readonly TokenBlockStore store = new(16, BlockSize);

    [Fact]
    public void ANewSequenceSharesTheBlocksOfAnOldOne()
    {
        var cache = Create(16);
        var first = Fill(cache, Tokens(20));
        var second = cache.Open();

        Assert.True(second.TryAdmit(Tokens(30)));
        Assert.Equal(16, second.Length);
        Assert.Equal(first.Blocks.Span[..2].ToArray(), second.Blocks.Span.ToArray());
        Assert.Equal(0, store.Copies);
    }

    [Fact]
    public void SharingSurvivesTheFirstOwner()
    {
        var cache = Create(16);
        Fill(cache, Tokens(20)).Release();
        Assert.Equal(0, cache.Allocator.UsedCount);

        var second = cache.Open();
        Assert.True(second.TryAdmit(Tokens(20)));
        Assert.Equal(16, second.Length);
    }

    [Fact]
    public void AtLeastTheLastTokenIsComputedIntoACopy()
    {
        var cache = Create(16);
        var first = Fill(cache, Tokens(16));
        var second = cache.Open();
        Assert.True(second.TryAdmit(Tokens(16)));

        Assert.Equal(15, second.Length);
        Assert.Equal(1, store.Copies);
        Assert.Equal(first.Blocks[0], second.Blocks[0]);
        Assert.NotEqual(first.Blocks[1], second.Blocks[1]);
        for (var position = 0; position < 15; position++)
            Assert.Equal(Tokens(16)[position], store.Read(second.Blocks, position));
    }

    [Fact]
    public void APartlyAgreeingBlockIsCopiedNotShared()
    {
        var cache = Create(16);
        var first = Fill(cache, Tokens(16));
        var other = Tokens(16);
        other[13] = 999;
        var second = Fill(cache, other);

        Assert.Equal(first.Blocks[0], second.Blocks[0]);
        Assert.Equal(Tokens(16)[13], store.Read(first.Blocks, 13));
        Assert.Equal(999, store.Read(second.Blocks, 13));
    }

    [Fact]
    public void SequencesThatComputeTheSameShareAfterwards()
    {
        var cache = Create(16);
        var (first, second) = (cache.Open(), cache.Open());
        Assert.True(first.TryAdmit(Tokens(9)) && second.TryAdmit(Tokens(9)));
        Compute(first, Tokens(9));
        Compute(second, Tokens(9));

        Assert.Equal(first.Blocks[0], second.Blocks[0]);
        Assert.Equal(3, cache.Allocator.UsedCount);
    }

    [Fact]
    public void AdmissionAsksForTheWholeRestAndChangesNothingWhenItFails()
    {
        var cache = Create(4);
        Fill(cache, Tokens(16)).Release();
        var holder = Fill(cache, Enumerable.Repeat(5, 15).ToArray());
        var before = cache.Usage;
        var late = cache.Open();

        Assert.False(late.TryAdmit(Tokens(30)));
        Assert.Equal((0, 0), (late.Length, late.Blocks.Count));
        Assert.Equal(before, cache.Usage);
        holder.Release();
        Assert.True(late.TryAdmit(Tokens(30)));
    }

    [Fact]
    public void AdmissionLeavesABlockForEveryRunningSequence()
    {
        var cache = Create(3);
        var first = Fill(cache, Tokens(8));
        var second = cache.Open();
        Assert.False(second.TryAdmit(Enumerable.Repeat(5, 16).ToArray()));
        Assert.True(second.TryAdmit(Enumerable.Repeat(5, 8).ToArray()));
        first.Release();
        second.Release();
    }

    [Fact]
    public void ReserveIsAllOrNothing()
    {
        var cache = Create(2);
        var sequence = cache.Open();
        Assert.True(sequence.TryAdmit(Tokens(3)));
        Assert.False(sequence.TryReserve(17));
        Assert.Equal(0, sequence.Blocks.Count);
        Assert.True(sequence.TryReserve(16));
        Assert.Equal(2, sequence.Blocks.Count);
    }

    [Fact]
    public void UsageCountsWholeBlocksAndTables()
    {
        var cache = Create(16);
        var sequence = Fill(cache, Tokens(9));

        Assert.Equal(new KvUsage(9, 9 * 100, 2 * BlockSize * 100, MetadataBytes: 8), sequence.Usage);
        Assert.Equal(sequence.Usage, cache.Usage);
        sequence.Release();
        Assert.Equal(default, cache.Usage);
    }

    [Fact]
    public void WrongCommitsAreErrors()
    {
        var cache = Create(2);
        var sequence = Fill(cache, Tokens(8));
        Assert.Throws<ArgumentException>(() => sequence.Commit(Tokens(9)));
        Assert.Throws<ArgumentException>(() => sequence.Commit(Tokens(7)));
        Assert.Throws<InvalidOperationException>(() => sequence.TryAdmit(Tokens(1)));
    }

    private PagedKvCache Create(int blocks) => new(blocks, BlockSize, bytesPerToken: 100, store);

    private static int[] Tokens(int count) => Enumerable.Range(1, count).Select(i => i * 7 % 101).ToArray();

    private ISequenceCache Fill(PagedKvCache cache, int[] tokens)
    {
        var sequence = cache.Open();
        Assert.True(sequence.TryAdmit(tokens));
        Compute(sequence, tokens);
        return sequence;
    }

    private void Compute(ISequenceCache sequence, int[] tokens)
    {
        Assert.True(sequence.TryReserve(tokens.Length - sequence.Length));
        for (var position = sequence.Length; position < tokens.Length; position++)
            store.Write(sequence.Blocks, position, tokens[position]);
        sequence.Commit(tokens);
    }
}
