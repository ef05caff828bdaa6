using DeltaKV.Cache;

namespace DeltaKV.Tests.Cache;

/// <summary>Random sequences against the naive model "every sequence has its own list of tokens".</summary>
public sealed class PagedKvCachePropertyTests
{
    private sealed record Running(ISequenceCache Cache, List<int> Tokens);

    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(2, 3, true)]
    [InlineData(3, 4, true)]
    [InlineData(4, 16, true)]
    [InlineData(5, 4, false)]
    [InlineData(6, 5, true)]
    public void EverySequenceReadsItsOwnTokens(int seed, int blockSize, bool prefixCaching)
    {
        const int BlockCount = 24;
        var random = new Random(seed);
        var store = new TokenBlockStore(BlockCount, blockSize);
        var cache = new PagedKvCache(BlockCount, blockSize, bytesPerToken: 4, store, prefixCaching);
        var running = new List<Running>();
        var shared = 0;
        for (var step = 0; step < 4000; step++)
        {
            switch (random.Next(5))
            {
                case 0:
                    var admitted = TryAdmit(cache, random, blockSize);
                    if (admitted is null)
                        break;
                    shared += admitted.Cache.Length;
                    running.Add(admitted);
                    break;
                case 1 when running.Count > 0:
                    var leaving = running[random.Next(running.Count)];
                    leaving.Cache.Release();
                    running.Remove(leaving);
                    break;
                default:
                    if (running.Count > 0)
                        Advance(running[random.Next(running.Count)], store, random);
                    break;
            }
            Check(cache, running, store, seed, step);
        }
        foreach (var sequence in running)
            sequence.Cache.Release();
        Assert.Equal((BlockCount, 0, default), (cache.Allocator.FreeCount, cache.Allocator.UsedCount, cache.Usage));
        Assert.Equal(prefixCaching, shared > 0);
        if (prefixCaching && blockSize > 1)
            Assert.True(store.Copies > 0);
    }

    private static Running? TryAdmit(PagedKvCache cache, Random random, int blockSize)
    {
        // Two token values: prompts often begin alike.
        var tokens = Enumerable.Range(0, random.Next(1, blockSize * 6)).Select(_ => random.Next(8) == 0 ? 1 : 0).ToList();
        var sequence = cache.Open();
        return sequence.TryAdmit(tokens.ToArray()) ? new Running(sequence, tokens) : null;
    }

    private static void Advance(Running sequence, TokenBlockStore store, Random random)
    {
        if (sequence.Cache.Length == sequence.Tokens.Count)
            sequence.Tokens.Add(random.Next(2));
        var count = random.Next(1, sequence.Tokens.Count - sequence.Cache.Length + 1);
        if (!sequence.Cache.TryReserve(count))
            return;
        var end = sequence.Cache.Length + count;
        for (var position = sequence.Cache.Length; position < end; position++)
            store.Write(sequence.Cache.Blocks, position, sequence.Tokens[position]);
        sequence.Cache.Commit(sequence.Tokens.Take(end).ToArray());
    }

    private static void Check(PagedKvCache cache, List<Running> running, TokenBlockStore store, int seed, int step)
    {
        var holders = new Dictionary<int, int>();
        foreach (var sequence in running)
        {
            for (var position = 0; position < sequence.Cache.Length; position++)
            {
                if (store.Read(sequence.Cache.Blocks, position) != sequence.Tokens[position])
                    Assert.Fail($"seed {seed}, step {step}: position {position} of a sequence was overwritten");
            }
            foreach (var block in sequence.Cache.Blocks.Span)
                holders[block] = holders.GetValueOrDefault(block) + 1;
        }
        Assert.Equal(holders.Count, cache.Allocator.UsedCount);
        Assert.All(holders, held => Assert.Equal(held.Value, cache.Allocator.ReferenceCount(held.Key)));
        Assert.Equal(running.Sum(sequence => (long)sequence.Cache.Length), cache.Usage.Tokens);
    }
}
