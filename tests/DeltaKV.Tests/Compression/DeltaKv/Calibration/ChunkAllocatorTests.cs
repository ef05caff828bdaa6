using System.Collections.Immutable;
using DeltaKV.Compression.Codes;
using DeltaKV.Compression.DeltaKv.Calibration;
using DeltaKV.Evaluation;

namespace DeltaKV.Tests.Compression.DeltaKv.Calibration;

public sealed class ChunkAllocatorTests
{
    [Fact]
    public void NoOtherAllocationHasASmallerError()
    {
        for (var trial = 0; trial < 30; trial++)
        {
            var random = new SeededRandom(trial, "allocation");
            var rates = Enumerable.Range(0, 3).Select(_ => Rates(random, random.Next(10, 90))).ToArray();
            var budget = random.Next(0, 7);
            var found = Chunks(rates, budget * ChunkAllocator.ChunkBytes + 7);

            Assert.True(found.Sum(chunks => chunks.Length) <= budget, $"seed {trial}");
            var error = found.Zip(rates, (chunks, layer) => Error(layer, [.. chunks])).Sum();
            var best = Best(rates, budget);
            Assert.True(error <= best + 1e-9, $"seed {trial}: {error} instead of {best}");
        }
    }

    [Fact]
    public void LayersWithoutDimensionsGetNothingAndPlentyEndsAtEightBits()
    {
        var random = new SeededRandom(4);
        var chunks = ChunkAllocator.Allocate([[], [new LayerOption(0, Rates(random, 40))]], 1 << 20);
        Assert.Equal(-1, chunks[0].Option);
        Assert.Empty(chunks[0].Chunks);
        Assert.Equal(Enumerable.Repeat(ChunkWidth.Bits8, 3), chunks[1].Chunks);
    }

    [Fact]
    public void AnOptionWithOverheadIsTakenWhereItPays()
    {
        var rates = Rates(new SeededRandom(5), 40);
        DimensionRate[] smaller = [.. rates.Select(r => new DimensionRate(r.Nothing / 100, Smaller(r.At2), Smaller(r.At4), Smaller(r.At8)))];
        LayerOption[] options = [new(0, rates), new(20, smaller)];

        Assert.Equal(0, ChunkAllocator.Allocate([options], 16)[0].Option);
        var bought = ChunkAllocator.Allocate([options], 52)[0];
        Assert.Equal(1, bought.Option);
        Assert.Equal(2, bought.Chunks.Length);
        Assert.Equal(0, ChunkAllocator.Allocate([[new(0, rates), new(20, rates)]], 52)[0].Option);

        static QuantizerFit Smaller(QuantizerFit fit) => fit with { Error = fit.Error / 100 };
    }

    [Fact]
    public void ABudgetBelowTheOverheadsIsRefused()
    {
        LayerOption[] options = [new(20, Rates(new SeededRandom(6), 40))];
        var error = Assert.Throws<ArgumentException>(() => ChunkAllocator.Allocate([options, options], 39));
        Assert.Contains("39 bytes", error.Message, StringComparison.Ordinal);
        Assert.Equal([1, 1], ChunkAllocator.Allocate([options, options], 72).Select(a => a.Chunks.Length));
    }

    private static ImmutableArray<ChunkWidth>[] Chunks(DimensionRate[][] rates, int bytes) =>
        [.. ChunkAllocator.Allocate([.. rates.Select(layer => (LayerOption[])[new LayerOption(0, layer)])], bytes).Select(a => a.Chunks)];

    private static DimensionRate[] Rates(SeededRandom random, int count) =>
    [
        .. Enumerable.Range(0, count).Select(_ => Math.Exp(3 * random.NextNormal())).OrderDescending().Select(variance => new DimensionRate(
            variance, new(1, variance * 0.1), new(1, variance * (0.004 + 0.01 * random.NextDouble())), new(1, variance * 0.0001))),
    ];

    private static double Best(DimensionRate[][] rates, int budget)
    {
        double Recurse(int layer, int left) => layer == rates.Length
            ? 0
            : Enumerable.Range(0, left + 1).Min(own => Splits(own).Min(split => Error(rates[layer], split)) + Recurse(layer + 1, left - own));
        return Recurse(0, budget);
    }

    private static IEnumerable<ChunkWidth[]> Splits(int count) =>
        from bytes in Enumerable.Range(0, count + 1)
        from nibbles in Enumerable.Range(0, count - bytes + 1)
        select (ChunkWidth[])
        [
            .. Enumerable.Repeat(ChunkWidth.Bits8, bytes), .. Enumerable.Repeat(ChunkWidth.Bits4, nibbles),
            .. Enumerable.Repeat(ChunkWidth.Bits2, count - bytes - nibbles),
        ];

    private static double Error(DimensionRate[] rates, ChunkWidth[] chunks)
    {
        var widths = chunks.SelectMany(c => Enumerable.Repeat(c, CodeGroup.DimensionsOf(c))).ToArray();
        return rates.Select((rate, i) => i < widths.Length ? rate.At(widths[i]).Error : rate.Nothing).Sum();
    }
}
