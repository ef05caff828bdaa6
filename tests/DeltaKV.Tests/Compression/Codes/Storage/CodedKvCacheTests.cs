using DeltaKV.Cache;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Tests.Compression.Codes.Storage;

public class CodedKvCacheTests
{
    private const int Sinks = 16;
    private const int Recent = 32;
    private static readonly AttentionShape Shape = new(4, 2, 64);

    [Theory]
    [InlineData(10, 1)]
    [InlineData(47, 1)]
    [InlineData(64, 1)]
    [InlineData(65, 7)]
    [InlineData(500, 100)]
    [InlineData(500, 1)]
    public void Usage_is_what_the_allocators_handed_out(int length, int chunk)
    {
        var store = new RecordingStore();
        var cache = Create(store, 100, prefixCaching: false);
        var sequence = cache.Open();
        var tokens = Tokens(0, length);
        Assert.True(sequence.TryAdmit(tokens));
        Feed(cache, sequence, tokens, chunk);

        var format = cache.Format;
        var end = Math.Max(Sinks, (length - Recent) / 16 * 16);
        // Sinks and what follows the coded part, in blocks of 16.
        var window = (Math.Min(length, Sinks) + 15) / 16 + Math.Max(0, ((length + 15) / 16) - (end / 16));
        var codes = (end - Sinks) / 16;
        var references = (end - Sinks + 9) / 10;
        Assert.Equal(codes * format.CodeBlockBytes, sequence.Usage.LatentBytes);
        Assert.Equal((references + 15) / 16 * format.ReferenceBlockBytes, sequence.Usage.ReferenceBytes);
        Assert.Equal((window * format.WindowBlockBytes) + ((length + 63) / 64 * format.FullBlockBytes), sequence.Usage.RawBytes);
        Assert.Equal(length * 3L * 2 * 2 * 64 * 2, sequence.Usage.FullBytes);
        Assert.Equal(sequence.Usage, cache.Usage);
        Assert.Equal(Enumerable.Range(1, Math.Max(0, codes)).Select(i => 16 * i), store.Compressed.Select(item => item.Position).Order());

        sequence.Release();
        Assert.Equal(default, cache.Usage with { });
        AssertAllFree(cache);
    }

    [Theory]
    [InlineData(300, 299, 299)]
    [InlineData(300, 260, 260)]
    [InlineData(300, 256, 256)]
    // Before the end of the coded part only whole groups can be taken over: raw tokens behind them are gone.
    [InlineData(300, 250, 240)]
    [InlineData(300, 100, 96)]
    [InlineData(300, 20, 16)]
    [InlineData(300, 9, 9)]
    public void A_prompt_that_begins_alike_starts_from_what_was_kept(int length, int common, int expected)
    {
        var store = new RecordingStore();
        var cache = Create(store, 100, prefixCaching: true);
        var first = cache.Open();
        var tokens = Tokens(0, length);
        Assert.True(first.TryAdmit(tokens));
        Feed(cache, first, tokens, 64);
        first.Release();
        Assert.Equal(0, cache.Usage.TotalBytes);

        int[] prompt = [.. tokens[..common], .. Tokens(1, 200)];
        var second = (CodedSequence)cache.Open();
        Assert.True(second.TryAdmit(prompt));
        Assert.Equal(expected, second.Length);
        Assert.True(second.CodedEnd <= Math.Max(expected, Sinks));
        Feed(cache, second, prompt, 64);
        AssertWhole(second);
        second.Release();
        Forget(cache);
        AssertAllFree(cache);
    }

    [Fact]
    public void Two_sequences_share_a_snapshot_and_grow_apart()
    {
        var cache = Create(new RecordingStore(), 100, prefixCaching: true);
        var notes = Tokens(0, 400);
        var first = cache.Open();
        Assert.True(first.TryAdmit(notes));
        Feed(cache, first, notes, 128);
        first.Release();

        var questions = Enumerable.Range(1, 3).Select(i => (Cache: (CodedSequence)cache.Open(), Prompt: (int[])[.. notes, .. Tokens(i, 90)])).ToArray();
        foreach (var (sequence, prompt) in questions)
        {
            Assert.True(sequence.TryAdmit(prompt));
            Assert.Equal(400, sequence.Length);
            Feed(cache, sequence, prompt, 30);
            AssertWhole(sequence);
        }

        // Shared blocks are counted once over all, in full in each.
        Assert.True(cache.Usage.LatentBytes < questions.Sum(question => question.Cache.Usage.LatentBytes));
        var own = questions.Select(question => question.Cache.Map.Codes[^1]).ToArray();
        Assert.Equal(3, own.Distinct().Count());
        foreach (var (sequence, _) in questions)
            sequence.Release();
        Forget(cache);
        AssertAllFree(cache);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_sequences_in_little_memory_never_lose_a_block(int seed)
    {
        var random = new Random(seed);
        var store = new RecordingStore();
        var cache = Create(store, 12, prefixCaching: true);
        var running = new List<(CodedSequence Cache, int[] Tokens)>();
        for (var step = 0; step < 600; step++)
        {
            if (running.Count < 4 && random.Next(3) == 0)
            {
                int[] prompt = [.. Tokens(0, random.Next(1, 300)), .. Tokens(random.Next(5), random.Next(1, 200))];
                var sequence = (CodedSequence)cache.Open();
                if (sequence.TryAdmit(prompt))
                    running.Add((sequence, prompt));
            }

            var steps = new List<SequenceStep>();
            for (var i = running.Count - 1; i >= 0; i--)
            {
                var (sequence, tokens) = running[i];
                var count = Math.Min(random.Next(1, 60), tokens.Length - sequence.Length);
                if (count == 0 || !sequence.TryReserve(count))
                {
                    sequence.Release();
                    running.RemoveAt(i);
                    continue;
                }

                steps.Add(new SequenceStep(sequence, 0, count));
            }

            Prepare(cache, steps);
            foreach (var step2 in steps)
            {
                var sequence = (CodedSequence)step2.Cache;
                var tokens = running.Single(pair => pair.Cache == sequence).Tokens;
                sequence.Commit(tokens.AsSpan(0, sequence.Length + step2.Rows));
            }

            cache.Flush();
            foreach (var (sequence, _) in running)
                AssertWhole(sequence);
        }

        foreach (var (sequence, _) in running)
            sequence.Release();
        Forget(cache);
        AssertAllFree(cache);
    }

    /// <summary>Pools that nobody uses, for raw layers and references, have no blocks to keep free for others.</summary>
    [Fact]
    public void As_many_sequences_run_as_were_planned_for_without_raw_layers_and_references()
    {
        const int sequences = 5;
        const int length = 200;
        LinearCodec codec = IdentityCodec.Create(2, 64);
        var format = new CodedKvFormat(Shape, [codec, codec], new CodedKvOptions { Sinks = Sinks, Recent = Recent });
        var capacity = CodedKvCapacity.ForBytes(format, 1 << 26, sequences, length, sequences * (length + 16));
        var cache = new CodedKvCache(format, capacity, new RecordingStore(), prefixCaching: false);

        for (var i = 0; i < sequences; i++)
        {
            var sequence = cache.Open();
            var tokens = Tokens(i, length);
            Assert.True(sequence.TryAdmit(tokens), $"Sequence {i} was not admitted.");
            Feed(cache, sequence, tokens, 50);
        }

        Assert.Equal(sequences * length, cache.Usage.Tokens);
    }

    private static void Feed(CodedKvCache cache, ISequenceCache sequence, int[] tokens, int chunk)
    {
        while (sequence.Length < tokens.Length)
        {
            var count = Math.Min(chunk, tokens.Length - sequence.Length);
            Assert.True(sequence.TryReserve(count));
            Prepare(cache, [new SequenceStep(sequence, 0, count)]);
            sequence.Commit(tokens.AsSpan(0, sequence.Length + count));
            cache.Flush();
        }
    }

    /// <summary>What the device side does when it uploads the tables.</summary>
    private static void Prepare(CodedKvCache cache, List<SequenceStep> steps)
    {
        foreach (var sequence in cache.Admitted)
            sequence.Row = -1;
        for (var row = 0; row < steps.Count; row++)
            ((CodedSequence)steps[row].Cache).Row = row;
    }

    /// <summary>Every token is somewhere.</summary>
    private static void AssertWhole(CodedSequence sequence)
    {
        for (var p = 0; p < sequence.Length; p++)
        {
            Assert.True(sequence.Map.Full[p / 64] >= 0);
            var isCoded = p >= Sinks && p < sequence.CodedEnd;
            Assert.True((isCoded ? sequence.Map.Codes : sequence.Map.Window)[p / 16] >= 0, $"Position {p} of {sequence.Length}, coded to {sequence.CodedEnd}, is nowhere.");
            if (isCoded)
                Assert.True(sequence.Map.References[(p - Sinks) / 160] >= 0);
        }
    }

    /// <summary>Admits until every snapshot had to go.</summary>
    private static void Forget(CodedKvCache cache) => Assert.False(cache.TryFree(int.MaxValue, 0, 0, 0));

    private static void AssertAllFree(CodedKvCache cache)
    {
        Assert.Equal(cache.Pools.Full.Count, cache.Pools.Full.FreeCount);
        Assert.Equal(cache.Pools.Window.Count, cache.Pools.Window.FreeCount);
        Assert.Equal(cache.Pools.Codes.Count, cache.Pools.Codes.FreeCount);
        Assert.Equal(cache.Pools.References.Count, cache.Pools.References.FreeCount);
    }

    private static int[] Tokens(int seed, int count)
    {
        var random = new Random(seed + 100);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(1000))];
    }

    /// <summary>Three layers, of which the first stays raw; so many times 64 tokens fit.</summary>
    private static CodedKvCache Create(ICodedStore store, int blocks, bool prefixCaching)
    {
        LinearCodec codec = IdentityCodec.Create(2, 64, neighbours: 2);
        var format = new CodedKvFormat(Shape, [null, codec, codec], new CodedKvOptions { Sinks = Sinks, Recent = Recent });
        return new CodedKvCache(format, new CodedKvCapacity(blocks, 8 * blocks, 4 * blocks, blocks, 64 * blocks), store, prefixCaching);
    }

    private sealed class RecordingStore : ICodedStore
    {
        internal List<FlushItem> Compressed { get; } = [];

        public void CopyFull(int source, int target) => Assert.NotEqual(source, target);

        public void CopyWindow(int source, int target) => Assert.NotEqual(source, target);

        public void CopyReferences(int source, int target) => Assert.NotEqual(source, target);

        public void Compress(IReadOnlyList<FlushItem> items) => Compressed.AddRange(items);
    }
}
