using DeltaKV.Cache;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.Codes.Encoding;
using DeltaKV.Compression.Codes.Storage;
using DeltaKV.Compression.Kivi;
using DeltaKV.Kernels.Attention;

namespace DeltaKV.Tests.Compression.Kivi;

public class KiviCacheTests
{
    private const int Sinks = 32;
    private const int Recent = 48;
    private static readonly AttentionShape Shape = new(4, 2, 64);

    [Theory]
    [InlineData(10, 1, true)]
    [InlineData(111, 1, true)]
    [InlineData(112, 1, false)]
    [InlineData(500, 100, true)]
    [InlineData(500, 33, false)]
    public void Usage_is_what_the_allocators_handed_out(int length, int chunk, bool mixed)
    {
        var store = new RecordingStore();
        var cache = Create(store, mixed, prefixCaching: false);
        var sequence = cache.Open();
        var tokens = Tokens(0, length);
        Assert.True(sequence.TryAdmit(tokens));
        Feed(cache, sequence, tokens, chunk);

        var end = Math.Max(Sinks, (length - Recent) / 32 * 32);
        var codes = (end - Sinks) / 32;
        var window = ((Math.Min(length, Sinks) + 15) / 16) + Math.Max(0, ((length + 15) / 16) - (end / 16));
        // Two key heads of 64: 4-bit keys, 2-bit values, 8 bytes of scales per channel and block; the other layer's records of half as many tokens each.
        var block = (2 * ((32 * 64 * 6 / 8) + (8 * 64))) + (mixed ? 32 * ((2 * 2 * 64 * 2) + 16) : 0);
        Assert.Equal(block, cache.Format.CodeBlockBytes);
        Assert.Equal(codes * block, sequence.Usage.LatentBytes);
        Assert.Equal(codes, cache.Pools.Codes.HeldCount);
        Assert.Equal(window, cache.Pools.Window.HeldCount);
        // A raw layer, and windows of the one or two others.
        Assert.Equal((((length + 63) / 64 * 64) + (window * 16 * (mixed ? 2 : 1))) * 2L * 2 * 64 * 2, sequence.Usage.RawBytes);
        Assert.Equal(sequence.Usage, cache.Usage);
        Assert.Equal(Enumerable.Range(0, 2 * codes).Select(i => Sinks + (16 * i)), store.Compressed.Select(item => item.Position).Order());

        sequence.Release();
        Assert.Equal(0, cache.Usage.TotalBytes);
        AssertAllFree(cache);
    }

    [Theory]
    [InlineData(300, 299, 299)]
    [InlineData(300, 250, 250)]
    // Up to the end of the quantised part only whole blocks can be taken over: raw tokens behind them are gone.
    [InlineData(300, 220, 192)]
    [InlineData(300, 100, 96)]
    [InlineData(300, 95, 64)]
    [InlineData(300, 31, 31)]
    public void A_prompt_that_begins_alike_starts_from_whole_blocks(int length, int common, int expected)
    {
        var cache = Create(new RecordingStore(), mixed: true, prefixCaching: true);
        var first = cache.Open();
        var tokens = Tokens(0, length);
        Assert.True(first.TryAdmit(tokens));
        Feed(cache, first, tokens, 64);
        first.Release();

        int[] prompt = [.. tokens[..common], .. Tokens(1, 200)];
        var second = (CodedSequence)cache.Open();
        Assert.True(second.TryAdmit(prompt));
        Assert.Equal(expected, second.Length);
        Feed(cache, second, prompt, 64);
        for (var p = 0; p < second.Length; p++)
        {
            var isCoded = p >= Sinks && p < second.CodedEnd;
            Assert.True((isCoded ? second.Map.Codes[p / 32] : second.Map.Window[p / 16]) >= 0, $"Position {p}, quantised to {second.CodedEnd}, is nowhere.");
        }

        second.Release();
        Assert.False(cache.TryFree(int.MaxValue, 0, 0, 0));
        AssertAllFree(cache);
    }

    [Fact]
    public void Refuses_what_does_not_go_together()
    {
        var code = new KiviCode(4, 4);
        Assert.Contains("sinks", Assert.Throws<ArgumentException>(() => new CodedKvFormat(Shape, [null], new CodedKvOptions { Sinks = 16 }, kivi: [code])).Message, StringComparison.Ordinal);
        Assert.Contains("not both", Assert.Throws<ArgumentException>(() => new CodedKvFormat(Shape, [IdentityCodec.Create(2, 64)], new CodedKvOptions { Sinks = 0 }, kivi: [code])).Message, StringComparison.Ordinal);
        Assert.Contains("64 or 128", Assert.Throws<NotSupportedException>(() => new CodedKvFormat(new AttentionShape(4, 2, 80), [null], new CodedKvOptions { Sinks = 0 }, kivi: [code])).Message, StringComparison.Ordinal);
    }

    private static void Feed(CodedKvCache cache, ISequenceCache sequence, int[] tokens, int chunk)
    {
        while (sequence.Length < tokens.Length)
        {
            var count = Math.Min(chunk, tokens.Length - sequence.Length);
            Assert.True(sequence.TryReserve(count));
            ((CodedSequence)sequence).Row = 0;
            sequence.Commit(tokens.AsSpan(0, sequence.Length + count));
            cache.Flush();
        }
    }

    private static void AssertAllFree(CodedKvCache cache)
    {
        foreach (var pool in (BlockPool[])[cache.Pools.Full, cache.Pools.Window, cache.Pools.Codes, cache.Pools.References])
            Assert.Equal(pool.Count, pool.FreeCount);
    }

    private static int[] Tokens(int seed, int count)
    {
        var random = new Random(seed + 100);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(1000))];
    }

    /// <summary>A raw layer, a quantised one, and perhaps one of records with a reference per token.</summary>
    private static CodedKvCache Create(ICodedStore store, bool mixed, bool prefixCaching)
    {
        LinearCodec? codec = mixed ? IdentityCodec.Create(2, 64, neighbours: 1) : null;
        var code = new KiviCode(4, 2);
        var format = mixed
            ? new CodedKvFormat(Shape, [null, codec, null], new CodedKvOptions { Sinks = Sinks, Recent = Recent }, kivi: [null, null, code])
            : new CodedKvFormat(Shape, [null, null], new CodedKvOptions { Sinks = Sinks, Recent = Recent }, kivi: [null, code]);
        return new CodedKvCache(format, new CodedKvCapacity(100, 800, 400, 100, 6400), store, prefixCaching);
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
