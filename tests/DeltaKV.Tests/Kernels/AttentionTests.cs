using DeltaKV.Gpu;
using DeltaKV.Kernels.Attention;
using DeltaKV.Kernels.Single;

namespace DeltaKV.Tests.Kernels;

[Collection(KernelCollection.Name)]
public sealed class AttentionTests(KernelFixture device)
{
    /// <summary>Weights and scores pass through bf16 once each, relative to values of up to 1.</summary>
    private const double BFloat16Tolerance = 6e-3;

    [Theory]
    [InlineData(1, 1, 64)]
    [InlineData(4, 2, 64)]
    [InlineData(4, 1, 80)]
    [InlineData(7, 1, 96)]
    [InlineData(8, 2, 128)]
    [InlineData(16, 2, 128)]
    [InlineData(12, 1, 64)]
    [InlineData(16, 1, 80)]
    public void Decodes(int queryHeads, int keyHeads, int headDim)
    {
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        int[][] batches = [[1], [300], [63, 64, 0, 65], [1, 200, 129, 31, 33, 17, 64, 700, 0]];
        foreach (var lengths in batches)
            Decode(shape, lengths);
    }

    [Theory]
    [InlineData(4, 2, 64)]
    [InlineData(4, 1, 80)]
    [InlineData(16, 1, 128)]
    public void DecodesFromAStartOn(int queryHeads, int keyHeads, int headDim)
    {
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        (int Length, int Start)[][] batches = [[(300, 0)], [(300, 299)], [(130, 64), (130, 63), (130, 65), (0, 0)], [(700, 123), (64, 17), (65, 50), (700, 600), (129, 127)]];
        foreach (var batch in batches)
            Decode(shape, [.. batch.Select(sequence => sequence.Length)], [.. batch.Select(sequence => sequence.Start)]);
    }

    [Theory]
    [InlineData(4, 2, 64)]
    [InlineData(3, 1, 80)]
    public void PrefillsFromAStartOn(int queryHeads, int keyHeads, int headDim)
    {
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        (int Start, int Tokens)[] chunks = [(37, 100), (0, 17), (128, 65), (200, 3), (70, 5)];
        Prefill(shape, chunks, [20, 0, 128, 131, 64]);
    }

    [Theory]
    [InlineData(1, 1, 64)]
    [InlineData(4, 2, 64)]
    [InlineData(3, 1, 80)]
    [InlineData(2, 2, 96)]
    [InlineData(8, 1, 128)]
    public void Prefills(int queryHeads, int keyHeads, int headDim)
    {
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        (int Start, int Tokens)[][] batches = [[(0, 1)], [(0, 64), (64, 1)], [(0, 130)], [(37, 100), (0, 17), (128, 65), (200, 3)]];
        foreach (var chunks in batches)
            Prefill(shape, chunks);
    }

    // The sums of one part are the next one's start, so nothing is rounded in between.
    [Theory]
    [InlineData(4, 2, 64)]
    [InlineData(3, 1, 80)]
    [InlineData(2, 2, 96)]
    [InlineData(2, 1, 128)]
    public void PrefillsPartAfterPartToTheSameBits(int queryHeads, int keyHeads, int headDim)
    {
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        (int Start, int Tokens)[] chunks = [(150, 170), (0, 129), (64, 64), (250, 3)];
        using var cache = Cache(shape, [.. chunks.Select(chunk => chunk.Start + chunk.Tokens)], null);
        var rows = chunks.Sum(chunk => chunk.Tokens);
        var tiles = Tiles(chunks);
        using var qkvs = device.Upload(Numbers.BFloat16s(7, rows * shape.QkvWidth, 3f));
        using var tileBuffer = device.Upload(tiles);
        using var whole = device.Poisoned<BFloat16>(rows * shape.OutputWidth);
        var attention = new PrefillAttention(device.Accelerator, shape);
        attention.Launch(device.Stream, qkvs.View, tileBuffer.View, cache.Blocks, whole.View, tiles.Length);
        using var sums = device.Poisoned<Float4>((int)PrefillPart.SumsOf(shape, tiles.Length * PrefillTile.MaxRows));
        foreach (var size in (int[])[64, 128, 192, 512])
        {
            using var output = device.Poisoned<BFloat16>(rows * shape.OutputWidth);
            for (var first = 0; first < 320; first += size)
            {
                attention.LaunchPart(
                    device.Stream, qkvs.View, tileBuffer.View, cache.Blocks, output.View, tiles.Length, new PrefillPart(first, first + size, sums.View));
            }

            Assert.Equal(device.Download(whole, rows * shape.OutputWidth), device.Download(output, rows * shape.OutputWidth));
        }
    }

    [Theory]
    [InlineData(4, 2, 64)]
    [InlineData(3, 1, 80)]
    [InlineData(2, 1, 128)]
    public void AttendsInSingles(int queryHeads, int keyHeads, int headDim)
    {
        var shape = new AttentionShape(queryHeads, keyHeads, headDim);
        (int Start, int Tokens)[] chunks = [(37, 30), (0, 5)];
        using var cache = new PagedCache<float>(device, shape, [67, 5], 3, (seed, count) => Numbers.Singles(seed, count));
        var qkv = Numbers.Singles(7, 35 * shape.QkvWidth, 3f);
        var tiles = Tiles(chunks);
        using var qkvs = device.Upload(qkv);
        using var tileBuffer = device.Upload(tiles);
        using var output = device.Poisoned<float>(35 * shape.OutputWidth);
        var attention = new SingleAttention(device.Accelerator, shape);

        attention.LaunchPrefill(device.Stream, qkvs.View, tileBuffer.View, cache.Blocks, output.View, tiles.Length);
        CheckTiles(cache, qkv, device.Download(output, 35 * shape.OutputWidth), tiles, value => value, 1e-5);

        using var sequences = device.Upload([1, 0, 0]);
        using var positions = device.Upload([4, 66, -1]);
        using var decoded = device.Poisoned<float>(3 * shape.OutputWidth);
        attention.LaunchDecode(device.Stream, qkvs.View, new TokenRows(sequences.View, positions.View), cache.Blocks, decoded.View, 3);
        var actual = device.Download(decoded, 3 * shape.OutputWidth);
        CheckRow(cache, qkv, actual, 0, 1, 4, value => value, 1e-5);
        CheckRow(cache, qkv, actual, 1, 0, 66, value => value, 1e-5);
        CheckRow(cache, qkv, actual, 2, 0, -1, value => value, 1e-5);
    }

    [Theory]
    [InlineData(4, 2, 72)]
    [InlineData(5, 2, 64)]
    [InlineData(34, 2, 64)]
    public void RefusesOtherHeads(int queryHeads, int keyHeads, int headDim) =>
        Assert.Throws<NotSupportedException>(() => new PrefillAttention(device.Accelerator, new AttentionShape(queryHeads, keyHeads, headDim)));

    [Fact]
    public void CutsChunksLastTileFirst()
    {
        var tiles = Tiles([(10, 130)]);
        Assert.Equal([(128, 2, 138), (64, 64, 74), (0, 64, 10)], tiles.Select(tile => (tile.FirstRow, tile.Count, tile.FirstPosition)));
    }

    /// <summary>The last token of every sequence attends to those from its start on.</summary>
    private void Decode(AttentionShape shape, int[] lengths, int[]? starts = null)
    {
        using var cache = Cache(shape, lengths, starts);
        var qkv = Numbers.BFloat16s(7, lengths.Length * shape.QkvWidth, 3f);
        using var qkvs = device.Upload(qkv);
        using var sequences = device.Upload(Enumerable.Range(0, lengths.Length).ToArray());
        using var positions = device.Upload(lengths.Select(length => length - 1).ToArray());
        using var output = device.Poisoned<BFloat16>(lengths.Length * shape.OutputWidth);
        using var attention = new DecodeAttention(device.Accelerator, shape, 9);

        attention.Launch(device.Stream, qkvs.View, new TokenRows(sequences.View, positions.View), cache.Blocks, output.View, lengths.Length);

        var actual = Numbers.Widen(device.Download(output, lengths.Length * shape.OutputWidth));
        for (var row = 0; row < lengths.Length; row++)
            CheckRow(cache, Numbers.Widen(qkv), actual, row, row, lengths[row] - 1, value => value, BFloat16Tolerance);
    }

    /// <summary>The last tokens of every sequence attend to those from its start on.</summary>
    private void Prefill(AttentionShape shape, (int Start, int Tokens)[] chunks, int[]? starts = null)
    {
        using var cache = Cache(shape, [.. chunks.Select(chunk => chunk.Start + chunk.Tokens)], starts);
        var rows = chunks.Sum(chunk => chunk.Tokens);
        var qkv = Numbers.BFloat16s(7, rows * shape.QkvWidth, 3f);
        var tiles = Tiles(chunks);
        using var qkvs = device.Upload(qkv);
        using var tileBuffer = device.Upload(tiles);
        using var output = device.Poisoned<BFloat16>(rows * shape.OutputWidth);

        new PrefillAttention(device.Accelerator, shape).Launch(device.Stream, qkvs.View, tileBuffer.View, cache.Blocks, output.View, tiles.Length);

        CheckTiles(cache, Numbers.Widen(qkv), Numbers.Widen(device.Download(output, rows * shape.OutputWidth)), tiles, value => value, BFloat16Tolerance);
    }

    private PagedCache<BFloat16> Cache(AttentionShape shape, int[] lengths, int[]? starts) =>
        new(device, shape, lengths, 3, (seed, count) => Numbers.BFloat16s(seed, count), starts);

    private static PrefillTile[] Tiles((int Start, int Tokens)[] chunks)
    {
        var tiles = new PrefillTile[chunks.Sum(chunk => PrefillTile.CountOf(chunk.Tokens))];
        var next = 0;
        var row = 0;
        for (var s = 0; s < chunks.Length; s++)
        {
            next += PrefillTile.Cut(s, row, chunks[s].Tokens, chunks[s].Start, tiles.AsSpan(next));
            row += chunks[s].Tokens;
        }

        return tiles;
    }

    private static void CheckTiles<T>(PagedCache<T> cache, float[] qkv, float[] actual, PrefillTile[] tiles, Func<T, float> widen, double tolerance)
        where T : unmanaged
    {
        foreach (var tile in tiles)
        {
            for (var i = 0; i < tile.Count; i++)
                CheckRow(cache, qkv, actual, tile.FirstRow + i, tile.Sequence, tile.FirstPosition + i, widen, tolerance);
        }
    }

    private static void CheckRow<T>(
        PagedCache<T> cache, float[] qkv, float[] actual, int row, int sequence, int position, Func<T, float> widen, double tolerance)
        where T : unmanaged
    {
        var shape = cache.Shape;
        for (var head = 0; head < shape.QueryHeads; head++)
        {
            var query = qkv.AsSpan((row * shape.QkvWidth) + (head * shape.HeadDim), shape.HeadDim).ToArray();
            var expected = position < 0 ? new double[shape.HeadDim] : cache.Attend(query, sequence, position, head, widen);
            var output = actual.AsSpan((row * shape.OutputWidth) + (head * shape.HeadDim), shape.HeadDim).ToArray();
            Numbers.AssertClose(expected, output, tolerance, tolerance, $"row {row} position {position} head {head}");
        }
    }
}
