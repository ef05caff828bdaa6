using System.Collections.Immutable;
using DeltaKV.Compression.Codes;

namespace DeltaKV.Compression.DeltaKv.Calibration;

/// <summary>Shares a byte budget per token among layers, and within a layer among widths, so that the total error is least.</summary>
/// <remarks>
/// Storage comes in chunks of 16 bytes that hold 16, 32 or 64 dimensions. Within a layer dimensions keep their order, the widest chunks
/// first; every split of a chunk count into widths is tried. Over layers the shares are found by dynamic programming, so the result is
/// optimal for the given errors, not merely greedy.
/// </remarks>
internal static class ChunkAllocator
{
    /// <summary>A chunk's size.</summary>
    public const int ChunkBytes = 16;

    /// <summary>The widths of each layer's chunks, widest first.</summary>
    /// <param name="rates">Errors per layer and dimension, in order of falling importance; a layer without dimensions stores nothing.</param>
    /// <param name="bytesPerToken">Budget over all layers.</param>
    public static ImmutableArray<ChunkWidth>[] Allocate(IReadOnlyList<DimensionRate[]> rates, int bytesPerToken)
    {
        var budget = bytesPerToken / ChunkBytes;
        var splits = rates.Select(layer => Splits(layer, budget)).ToArray();
        var least = new double[budget + 1];
        var choices = new int[rates.Count][];
        for (var layer = 0; layer < rates.Count; layer++)
        {
            var next = new double[budget + 1];
            choices[layer] = new int[budget + 1];
            for (var total = 0; total <= budget; total++)
            {
                next[total] = double.PositiveInfinity;
                for (var own = 0; own < splits[layer].Length && own <= total; own++)
                {
                    var error = least[total - own] + splits[layer][own].Error;
                    if (error < next[total])
                        (next[total], choices[layer][total]) = (error, own);
                }
            }

            least = next;
        }

        var result = new ImmutableArray<ChunkWidth>[rates.Count];
        for (var (layer, left) = (rates.Count - 1, budget); layer >= 0; layer--)
        {
            var own = choices[layer][left];
            result[layer] = splits[layer][own].Chunks;
            left -= own;
        }

        return result;
    }

    /// <summary>The best split of every chunk count up to a budget, or to where every dimension has 8 bits.</summary>
    private static (double Error, ImmutableArray<ChunkWidth> Chunks)[] Splits(DimensionRate[] rates, int budget)
    {
        var nothing = Cumulative(rates, rate => rate.Nothing);
        var at2 = Cumulative(rates, rate => rate.At2.Error);
        var at4 = Cumulative(rates, rate => rate.At4.Error);
        var at8 = Cumulative(rates, rate => rate.At8.Error);
        var most = Math.Min(budget, (rates.Length + 15) / 16);
        var result = new (double Error, ImmutableArray<ChunkWidth> Chunks)[most + 1];
        for (var count = 0; count <= most; count++)
        {
            var best = (Error: double.PositiveInfinity, Bytes: 0, Nibbles: 0);
            for (var bytes = 0; bytes <= count; bytes++)
            {
                for (var nibbles = 0; nibbles <= count - bytes; nibbles++)
                {
                    var first = Math.Min(rates.Length, 16 * bytes);
                    var second = Math.Min(rates.Length, first + 32 * nibbles);
                    var third = Math.Min(rates.Length, second + 64 * (count - bytes - nibbles));
                    var error = at8[first] + at4[second] - at4[first] + at2[third] - at2[second] + nothing[^1] - nothing[third];
                    if (error < best.Error)
                        best = (error, bytes, nibbles);
                }
            }

            result[count] = (best.Error,
            [
                .. Enumerable.Repeat(ChunkWidth.Bits8, best.Bytes), .. Enumerable.Repeat(ChunkWidth.Bits4, best.Nibbles),
                .. Enumerable.Repeat(ChunkWidth.Bits2, count - best.Bytes - best.Nibbles),
            ]);
        }

        return result;
    }

    private static double[] Cumulative(DimensionRate[] rates, Func<DimensionRate, double> error)
    {
        var sums = new double[rates.Length + 1];
        for (var i = 0; i < rates.Length; i++)
            sums[i + 1] = sums[i] + error(rates[i]);
        return sums;
    }
}
